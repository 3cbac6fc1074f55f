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
    const auto parcel = image_parcel(stage, vm);
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
    std::unique_ptr<GuestObjects> objects(new (std::nothrow) GuestObjects(means_));
    if (!objects) {
        return refuse(stage, RmError::no_memory, "no memory for its objects");
    }
    done = place(stage, *config, **parcel);
    done = done ? place_stolen_time(stage, vm, **parcel, *config) : done;
    done = done ? objects->create(stage, vm.vmid, *config) : done;
    done = done ? write_tree(stage, vm, **parcel, *config, *source, *objects) : done;
    done = done ? clean_image(stage, vm, **parcel) : done;
    done = done ? objects->map_image(stage, vm.vmid, **parcel, config->base_address,
                                     (*parcel)->access_of(vm.vmid))
                : done;
    if (!done) {
        return done;
    }
    vm.objects = std::move(objects);
    vm.entry = config->base_address + vm.image.image_offset;
    vm.dtb_address = config->base_address + vm.image.dtb_offset;
    return {};
}

RmResult<Parcel*> GuestBuilder::image_parcel(const Stage& stage, const Vm& vm) {
    Parcel* parcel = parcels_.find(vm.image.parcel);
    if (parcel == nullptr || parcel->owner != vm.owner) {
        return refuse(stage, RmError::handle_invalid, "its creator has no parcel {x}",
                      vm.image.parcel);
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
    const Parcel* other = parcels_.other_parcel_of(vm.vmid, *parcel);
    if (other != nullptr) {
        return refuse(stage, RmError::unimplemented,
                      "parcel {x} (label {x}) is a second one for the VM; only the parcel of the "
                      "image has an address (base-address)",
                      other->handle, other->label);
    }
    return parcel;
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

RmResult<> GuestBuilder::place(const Stage& stage, const GuestConfig& config,
                               const Parcel& parcel) {
    const Range ram{config.base_address, parcel.size()};
    if (ram.wraps()) {
        return refuse(stage, RmError::validate_failed, "base-address {x} + {x} wraps around",
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
