// SPDX-License-Identifier: BSD-3-Clause
// Validates a guest's image parcel and device tree, creates its objects, writes the tree back.
#include "vm/guest_builder.hpp"

#include "primary/kernel_image.hpp"

#include <libfdt.h>

#include <algorithm>
#include <cstring>

namespace rm {

namespace {

/// Room for RM's nodes while the tree is edited; what counts in the end is the packed size.
constexpr std::size_t tree_slack = 64 * 1024;

Range whole_pages(std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t base = align_down(offset, page_size);
    return {base, align_up(offset + size, page_size) - base};
}

} // namespace

RmResult<> GuestBuilder::build(const Stage& stage, Vm& vm) {
    const auto parcel = usable_parcel(stage, vm, vm.image.parcel);
    if (!parcel) {
        return std::unexpected(parcel.error());
    }
    auto done = check_layout(stage, vm, **parcel);
    if (!done) {
        return done;
    }
    const auto source = read_tree(stage, vm, **parcel);
    if (!source) {
        return std::unexpected(source.error());
    }
    auto config = parse_guest_config(stage, source->begin());
    if (!config) {
        return std::unexpected(config.error());
    }
    const auto firmware = firmware_parcel(stage, vm, *config, **parcel);
    if (!firmware) {
        return std::unexpected(firmware.error());
    }
    std::unique_ptr<GuestObjects> objects(new (std::nothrow) GuestObjects(means_));
    if (!objects) {
        return refuse(stage, RmError::no_memory, "no memory for its objects");
    }
    done = check_others(stage, vm, **parcel, *firmware);
    done = done ? place(stage, *config, {config->base_address, (*parcel)->size()}) : done;
    done = done ? place_stolen_time(stage, vm, **parcel, *config) : done;
    done = done ? objects->create(stage, vm.vmid, *config) : done;
    done = done ? write_tree(stage, vm, **parcel, *config, *source, *objects) : done;
    done = done ? clean_image(stage, vm, **parcel) : done;
    done = done ? objects->map(stage, vm.vmid, **parcel, config->base_address) : done;
    if (*firmware != nullptr) {
        done = done ? map_firmware(stage, vm, *config, **firmware, **parcel, *objects) : done;
    }
    if (!done) {
        return done;
    }
    vm.objects = std::move(objects);
    vm.entry = config->firmware_address.value_or(config->base_address + vm.image.image_offset);
    vm.dtb_address = config->base_address + vm.image.dtb_offset;
    return {};
}

RmResult<Parcel*> GuestBuilder::usable_parcel(const Stage& stage, const Vm& vm,
                                              std::uint32_t handle) {
    Parcel* parcel = parcels_.find(handle);
    if (parcel == nullptr || parcel->owner != vm.owner) {
        return refuse(stage, RmError::handle_invalid, "its creator has no parcel {x}", handle);
    }
    if (!parcel->complete) {
        return refuse(stage, RmError::mem_invalid, "parcel {x} still waits for MEM_APPEND",
                      parcel->handle);
    }
    if (parcel->user != 0) {
        return refuse(stage, RmError::mem_in_use, "parcel {x} is in use by VM {x}", parcel->handle,
                      parcel->user);
    }
    if (parcel->access_of(vm.vmid) == 0) {
        return refuse(stage, RmError::denied, "parcel {x} gives the VM no access", parcel->handle);
    }
    return parcel;
}

RmResult<> GuestBuilder::check_others(const Stage& stage, const Vm& vm, const Parcel& image,
                                      const Parcel* firmware) {
    const Parcel* other = parcels_.other_parcel_of(vm.vmid, &image, firmware);
    if (other != nullptr) {
        return refuse(stage, RmError::unimplemented,
                      "parcel {x} (label {x}) is one more for the VM; only those of the image "
                      "(base-address) and of a protected VM's firmware have an address",
                      other->handle, other->label);
    }
    return {};
}

RmResult<Parcel*> GuestBuilder::firmware_parcel(const Stage& stage, const Vm& vm,
                                                const GuestConfig& config, Parcel& image) {
    const bool has_address = config.firmware_address.has_value();
    if (vm.is_protected != has_address || vm.is_protected != (vm.firmware.size != 0)) {
        return refuse(stage, RmError::validate_failed,
                      "a protected VM needs all of authentication 2, VM_SET_FIRMWARE_MEM and "
                      "memory/firmware-address; it has {}, {} and {}",
                      vm.is_protected ? "that" : "another", vm.firmware.size != 0 ? "that" : "none",
                      has_address ? "that" : "none");
    }
    if (!vm.is_protected) {
        return nullptr;
    }
    const auto parcel = vm.firmware.parcel == image.handle
                            ? RmResult<Parcel*>(&image)
                            : usable_parcel(stage, vm, vm.firmware.parcel);
    const auto checked = parcel ? check_firmware(stage, vm, config, **parcel, image)
                                : std::unexpected(parcel.error());
    return checked ? parcel : std::unexpected(checked.error());
}

/// What is in lent memory, its creator cannot change any more.
RmResult<> GuestBuilder::check_firmware(const Stage& stage, const Vm& vm, const GuestConfig& config,
                                        const Parcel& parcel, const Parcel& image) {
    const Range firmware{vm.firmware.offset, vm.firmware.size};
    if (parcel.kind != Parcel::Kind::lend) {
        return refuse(stage, RmError::denied, "its firmware is in memory that is not lent");
    }
    if (firmware.wraps() || !Range{0, parcel.size()}.contains(firmware) ||
        !is_aligned(firmware.base, page_size)) {
        return refuse(stage, RmError::argument_invalid,
                      "its firmware ({x} bytes at offset {x}) is unaligned or outside its parcel "
                      "of {x} bytes",
                      firmware.size, firmware.base, parcel.size());
    }
    const std::uint64_t address = *config.firmware_address;
    const Range ram{config.base_address, image.size()};
    const Range mapped{address - firmware.base, parcel.size()};
    const bool fits = &parcel == &image ? mapped.base == ram.base
                                        : address >= firmware.base && mapped.base >= vmmio_end &&
                                              is_aligned(mapped.base, page_size) &&
                                              !mapped.wraps() && !mapped.overlaps(ram);
    if (!fits) {
        return refuse(stage, RmError::validate_failed,
                      "firmware-address {x} does not fit the firmware at offset {x} of its parcel, "
                      "and memory at {x} + {x}",
                      address, firmware.base, ram.base, ram.size);
    }
    return place(stage, config, mapped);
}

RmResult<> GuestBuilder::map_firmware(const Stage& stage, const Vm& vm, const GuestConfig& config,
                                      Parcel& parcel, const Parcel& image, GuestObjects& objects) {
    const Range pages = whole_pages(vm.firmware.offset, vm.firmware.size);
    const auto cleaned = clean(stage, parcel, pages.base, pages.size);
    if (!cleaned || &parcel == &image) {
        return cleaned;
    }
    return objects.map(stage, vm.vmid, parcel, *config.firmware_address - vm.firmware.offset);
}

RmResult<> GuestBuilder::check_layout(const Stage& stage, const Vm& vm, const Parcel& parcel) {
    const ImageConfig& image = vm.image;
    const Range whole{0, parcel.size()};
    const bool tree_fits = !Range{image.dtb_offset, image.dtb_size}.wraps() &&
                           whole.contains({image.dtb_offset, image.dtb_size});
    if (!tree_fits || image.dtb_size < FDT_V17_SIZE || image.dtb_size > max_dtb_size ||
        !is_aligned(image.dtb_offset, 8)) {
        return refuse(stage, RmError::argument_invalid,
                      "the device tree ({x} bytes at offset {x}) is unaligned, too large or "
                      "outside its parcel of {x} bytes",
                      image.dtb_size, image.dtb_offset, parcel.size());
    }
    const bool image_fits =
        !Range{image.image_offset, image.image_size}.wraps() &&
        whole.contains({image.image_offset, std::max<std::uint64_t>(image.image_size, 4)});
    if (!image_fits || !is_aligned(image.image_offset, 4)) {
        return refuse(stage, RmError::argument_invalid,
                      "the image ({x} bytes at offset {x}) is unaligned or outside its parcel of "
                      "{x} bytes",
                      image.image_size, image.image_offset, parcel.size());
    }
    return {};
}

/// Copies the tree once and looks only at the copy: its owner can change the original meanwhile.
RmResult<GuestBuilder::Bytes> GuestBuilder::read_tree(const Stage& stage, const Vm& vm,
                                                      const Parcel& parcel) {
    Bytes copy;
    Vector<ExtentPiece> pieces;
    const Range pages = whole_pages(vm.image.dtb_offset, vm.image.dtb_size);
    const auto found = parcel.pieces(stage, pages.base, pages.size, pieces);
    if (!found) {
        return std::unexpected(found.error());
    }
    if (!copy.grow_to(vm.image.dtb_size)) {
        return refuse(stage, RmError::no_memory, "no memory for a copy of its device tree");
    }
    const auto view = window_.open(pieces.span(), GH_ACCESS_R);
    if (!view) {
        return refuse_call(stage, "looking at its device tree", view.error());
    }
    std::memcpy(copy.begin(), view->data() + (vm.image.dtb_offset - pages.base), copy.size());
    window_.close();
    if (!rt::FlatTree::is_well_formed(copy.begin(), copy.size())) {
        return refuse(stage, RmError::validate_failed, "its device tree is damaged");
    }
    return copy;
}

RmResult<> GuestBuilder::place(const Stage& stage, const GuestConfig& config, Range ram) {
    if (ram.wraps()) {
        return refuse(stage, RmError::validate_failed, "its memory at {x} + {x} wraps around",
                      ram.base, ram.size);
    }
    if (ram.overlaps(config.distributor) || ram.overlaps(config.redistributors)) {
        return refuse(stage, RmError::validate_failed, "its GIC lies in its memory ({x} + {x})",
                      ram.base, ram.size);
    }
    return {};
}

/// The parcel's last 64 KiB, which the tree then does not give the guest as memory.
RmResult<> GuestBuilder::place_stolen_time(const Stage& stage, const Vm& vm, const Parcel& parcel,
                                           GuestConfig& config) {
    if (!config.pv_time) {
        return {};
    }
    const std::uint64_t end = align_down(parcel.size(), stolen_time_size);
    const std::uint64_t offset = end == 0 ? 0 : end - stolen_time_size;
    const bool is_free = vm.image.dtb_offset + vm.image.dtb_size <= offset &&
                         vm.image.image_offset + vm.image.image_size <= offset &&
                         config.initrd_end <= config.base_address + offset;
    if (!is_free) {
        return refuse(stage, RmError::validate_failed,
                      "image, device tree or initrd lie in its memory's last 64 KiB (from offset "
                      "{x}), which vcpus/features pv-time takes",
                      offset);
    }
    config.stolen_time = config.base_address + offset;
    return {};
}

RmResult<> GuestBuilder::write_tree(const Stage& stage, const Vm& vm, const Parcel& parcel,
                                    const GuestConfig& config, const Bytes& source,
                                    const GuestObjects& objects) {
    Vector<GuestBell> bells;
    for (std::size_t i = 0; i < config.doorbells.size(); ++i) {
        const CapId cap = objects.doorbells()[i].guest_copy.id();
        if (!bells.push_back(GuestBell{config.doorbells[i], cap.value})) {
            return refuse(stage, RmError::no_memory, "no memory for its doorbells");
        }
    }
    const auto random = means_.root.hypervisor.entropy(sizeof(std::uint64_t));
    const GuestTreeFacts facts{
        .vmid = vm.vmid,
        .owner_vmid = static_cast<std::uint16_t>(vm.owner),
        .ram = {config.base_address,
                config.stolen_time != 0 ? config.stolen_time - config.base_address : parcel.size()},
        .bells = bells.span(),
        .kaslr_seed = random ? std::optional((*random)[0]) : std::nullopt,
    };
    dt::Editor tree(source.begin(), tree_slack);
    if (tree.no_memory()) {
        return refuse(stage, RmError::no_memory, "no memory to change its device tree");
    }
    if (!patch_guest_tree(tree, config, facts)) {
        return refuse(stage, RmError::validate_failed,
                      "#address-cells and #size-cells of its device tree cannot express {x} + {x}",
                      facts.ram.base, facts.ram.size);
    }
    const auto packed = tree.packed();
    if (packed.empty()) {
        return refuse(stage, RmError::validate_failed,
                      "adding to its device tree failed: libfdt error {}", tree.error());
    }
    if (packed.size() > vm.image.dtb_size) {
        return refuse(stage, RmError::validate_failed,
                      "its device tree needs {} bytes with RM's nodes, its place has {}",
                      packed.size(), vm.image.dtb_size);
    }
    return store_tree(stage, vm, parcel, packed);
}

RmResult<> GuestBuilder::store_tree(const Stage& stage, const Vm& vm, const Parcel& parcel,
                                    std::span<const std::byte> tree) {
    Vector<ExtentPiece> pieces;
    const Range pages = whole_pages(vm.image.dtb_offset, tree.size());
    const auto found = parcel.pieces(stage, pages.base, pages.size, pieces);
    if (!found) {
        return found;
    }
    const auto view = window_.open(pieces.span(), GH_ACCESS_RW);
    if (!view) {
        return refuse_call(stage, "writing its device tree", view.error());
    }
    std::memcpy(view->data() + (vm.image.dtb_offset - pages.base), tree.data(), tree.size());
    window_.close();
    return clean(stage, parcel, pages.base, pages.size);
}

/// A guest starts with its MMU off and so reads memory past the caches, in which its creator's
/// stores may still be. A Linux Image does so only with itself; of anything else all is cleaned.
RmResult<> GuestBuilder::clean_image(const Stage& stage, const Vm& vm, const Parcel& parcel) {
    const auto size = image_extent(stage, vm, parcel);
    if (!size) {
        return std::unexpected(size.error());
    }
    const Range pages = whole_pages(vm.image.image_offset, *size);
    return clean(stage, parcel, pages.base, pages.size);
}

RmResult<std::uint64_t> GuestBuilder::image_extent(const Stage& stage, const Vm& vm,
                                                   const Parcel& parcel) {
    const std::uint64_t rest = parcel.size() - vm.image.image_offset;
    Vector<ExtentPiece> pieces;
    const std::uint64_t page = align_down(vm.image.image_offset, page_size);
    const auto found = parcel.pieces(stage, page, page_size, pieces);
    if (!found) {
        return std::unexpected(found.error());
    }
    const auto view = window_.open(pieces.span(), GH_ACCESS_R);
    if (!view) {
        return refuse_call(stage, "looking at its image", view.error());
    }
    const WindowCloser closer(window_);
    const auto header = view->subspan(vm.image.image_offset - page);
    const auto linux_image =
        KernelImage::parse(header.first(std::min(header.size(), image_header_size)));
    return linux_image ? std::min(linux_image->image_size, rest) : rest;
}

RmResult<> GuestBuilder::clean(const Stage& stage, const Parcel& parcel, std::uint64_t offset,
                               std::uint64_t size) {
    Vector<ExtentPiece> pieces;
    const auto found = parcel.pieces(stage, offset, size, pieces);
    if (!found) {
        return found;
    }
    for (const ExtentPiece& piece : pieces) {
        const auto done = means_.root.hypervisor.clean_cache(piece);
        if (!done) {
            return refuse_call(stage, "cleaning its memory from the caches", done.error());
        }
    }
    return {};
}

} // namespace rm
