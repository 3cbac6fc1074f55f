// SPDX-License-Identifier: BSD-3-Clause
// VM_INIT: from a parcel with an image and a device tree to a guest that is ready to start.
#pragma once

#include "memory/parcel_store.hpp"
#include "memory/window.hpp"
#include "vm/vm.hpp"

namespace rm {

class GuestBuilder {
public:
    /// All references must outlive the builder.
    GuestBuilder(const GuestMeans& means, ParcelStore& parcels, Window& window)
        : means_(means), parcels_(parcels), window_(window) {}

    /// Fills vm.objects, vm.entry and vm.dtb_address; on failure nothing of it is left.
    RmResult<> build(const Stage& stage, Vm& vm);

private:
    using Bytes = Vector<std::byte>;

    /// A parcel that its creator has given the VM and nobody uses.
    RmResult<Parcel*> usable_parcel(const Stage& stage, const Vm& vm, std::uint32_t handle);
    /// The parcel that a protected VM's firmware is in; nullptr: it is no protected VM.
    RmResult<Parcel*> firmware_parcel(const Stage& stage, const Vm& vm, const GuestConfig& config,
                                      Parcel& image);
    RmResult<> check_firmware(const Stage& stage, const Vm& vm, const GuestConfig& config,
                              const Parcel& parcel, const Parcel& image);
    RmResult<> check_others(const Stage& stage, const Vm& vm, const Parcel& image,
                            const Parcel* firmware);
    RmResult<> check_layout(const Stage& stage, const Vm& vm, const Parcel& parcel);
    RmResult<Bytes> read_tree(const Stage& stage, const Vm& vm, const Parcel& parcel);
    RmResult<> place(const Stage& stage, const GuestConfig& config, Range ram);
    RmResult<> place_stolen_time(const Stage& stage, const Vm& vm, const Parcel& parcel,
                                 GuestConfig& config);
    RmResult<> write_tree(const Stage& stage, const Vm& vm, const Parcel& parcel,
                          const GuestConfig& config, const Bytes& source,
                          const GuestObjects& objects);
    RmResult<> store_tree(const Stage& stage, const Vm& vm, const Parcel& parcel,
                          std::span<const std::byte> tree);
    RmResult<> map_firmware(const Stage& stage, const Vm& vm, const GuestConfig& config,
                            Parcel& parcel, const Parcel& image, GuestObjects& objects);
    RmResult<> clean_image(const Stage& stage, const Vm& vm, const Parcel& parcel);
    RmResult<std::uint64_t> image_extent(const Stage& stage, const Vm& vm, const Parcel& parcel);
    RmResult<> clean(const Stage& stage, const Parcel& parcel, std::uint64_t offset,
                     std::uint64_t size);

    const GuestMeans& means_;
    ParcelStore& parcels_;
    Window& window_;
};

} // namespace rm
