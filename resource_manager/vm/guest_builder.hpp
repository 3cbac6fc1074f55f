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

    RmResult<Parcel*> image_parcel(const Stage& stage, const Vm& vm);
    RmResult<> check_layout(const Stage& stage, const Vm& vm, const Parcel& parcel);
    RmResult<Bytes> read_tree(const Stage& stage, const Vm& vm, const Parcel& parcel);
    RmResult<> place(const Stage& stage, const GuestConfig& config, const Parcel& parcel);
    RmResult<> place_stolen_time(const Stage& stage, const Vm& vm, const Parcel& parcel,
                                 GuestConfig& config);
    RmResult<> write_tree(const Stage& stage, const Vm& vm, const Parcel& parcel,
                          const GuestConfig& config, const Bytes& source,
                          const GuestObjects& objects);
    RmResult<> store_tree(const Stage& stage, const Vm& vm, const Parcel& parcel,
                          std::span<const std::byte> tree);
    RmResult<> clean_image(const Stage& stage, const Vm& vm, const Parcel& parcel);
    RmResult<std::uint64_t> image_extent(const Stage& stage, const Vm& vm, const Parcel& parcel);
    RmResult<> clean(const Stage& stage, const Parcel& parcel, std::uint64_t offset,
                     std::uint64_t size);

    const GuestMeans& means_;
    ParcelStore& parcels_;
    Window& window_;
};

} // namespace rm
