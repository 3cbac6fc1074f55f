// SPDX-License-Identifier: BSD-3-Clause
// Starts the primary VM: kernel checks, placement of the device tree, first instruction.
#include "log/log.hpp"
#include "primary/kernel_image.hpp"
#include "primary/primary_tree.hpp"
#include "primary/primary_vm.hpp"
#include "vm/guest_config.hpp"

#include <cstring>

namespace rm {

namespace {

constexpr std::uint64_t two_mib = std::uint64_t{2} << 20;
constexpr std::size_t tree_slack = 16 * 1024;

/// Adds what firmware reserved: the reservation block and static /reserved-memory nodes.
bool add_reservations(const void* dtb, RangeSet& set) {
    bool ok = true;
    const rt::FlatTree tree(dtb);
    for (std::size_t i = 0; const auto range = tree.reservation(i); ++i) {
        ok = ok && set.add({range->base, range->size});
    }
    for (dt::Node node = tree.first_child(tree.find("/reserved-memory")); node >= 0;
         node = tree.next_sibling(node)) {
        for (std::size_t i = 0; const auto range = dt::reg(dtb, node, i); ++i) {
            ok = ok && set.add(*range);
        }
    }
    return ok;
}

} // namespace

void PrimaryVm::start(const gh_rm_boot& boot, const void* dtb, Window& window) {
    Layout layout = plan(dtb, window);
    const Vector<std::byte> tree = make_tree(boot, dtb, layout);
    layout.dtb = find_free(ram_.ranges(), occupied(dtb, layout), two_mib, two_mib);
    if (layout.dtb.size < tree.size()) {
        fatal("no free RAM for the primary VM's device tree ({} bytes)", tree.size());
    }
    store(tree.span(), layout.dtb.base, window);
    clean(layout.kernel_file); // what it only reserves, it clears itself
    log("starting the primary VM");
    const auto started =
        root_.hypervisor.vcpu_poweron(vcpus_[0].id(), layout.kernel.base, layout.dtb.base);
    if (!started) {
        fatal("powering on the primary VM's first vCPU: {}", started.error());
    }
}

PrimaryVm::Layout PrimaryVm::plan(const void* dtb, Window& window) const {
    const BootModules modules = find_boot_modules(dtb);
    if (!modules.kernel) {
        fatal("the device tree names no kernel for the primary VM (/chosen/module@… with "
              "compatible \"multiboot,kernel\")");
    }
    Layout layout;
    layout.kernel = check_kernel(*modules.kernel, window);
    layout.kernel_file = *modules.kernel;
    layout.initrd = modules.initrd;
    layout.bootargs = modules.bootargs;
    if (layout.initrd && !ram_.contains(*layout.initrd)) {
        fatal("the initrd at {x} + {x} is not in RAM that the primary VM has", layout.initrd->base,
              layout.initrd->size);
    }
    if (layout.initrd && layout.initrd->overlaps(layout.kernel)) {
        fatal("the initrd at {x} + {x} overlaps the kernel at {x}, which uses {x} bytes",
              layout.initrd->base, layout.initrd->size, layout.kernel.base, layout.kernel.size);
    }
    return layout;
}

Range PrimaryVm::check_kernel(const Range& module, Window& window) const {
    const ExtentPiece page = ram_.front_piece({align_down(module.base, page_size), page_size});
    if (page.size != page_size || !ram_.contains(module)) {
        fatal("the kernel at {x} + {x} is not in RAM that the primary VM has", module.base,
              module.size);
    }
    const auto view = window.open(std::span(&page, 1), GH_ACCESS_R);
    if (!view) {
        fatal("looking at the kernel: {}", view.error());
    }
    const std::size_t offset = module.base % page_size;
    const std::size_t size = std::min<std::size_t>(module.size, page_size - offset);
    const auto image = KernelImage::parse(view->subspan(offset, size));
    window.close();
    if (!image) {
        fatal("the file at {x}, {} bytes, is no kernel: {}", module.base, module.size,
              image.error());
    }
    const Range kernel{module.base, std::max(image->image_size, module.size)};
    if (!is_aligned(module.base - image->text_offset, two_mib)) {
        fatal("the kernel at {x} is not {x} bytes above a 2 MiB boundary", module.base,
              image->text_offset);
    }
    if (kernel.wraps() || !ram_.contains(kernel)) {
        fatal("the kernel at {x} uses {x} bytes, more than there is RAM", kernel.base, kernel.size);
    }
    return kernel;
}

RangeSet PrimaryVm::occupied(const void* dtb, const Layout& layout) const {
    RangeSet set;
    // Page 0 stays free: to a kernel, a device tree at address 0 is none.
    bool ok = set.add({0, page_size}) && set.add(layout.kernel) && add_reservations(dtb, set);
    if (layout.initrd) {
        ok = ok && set.add(*layout.initrd);
    }
    if (!ok) {
        fatal("no memory to plan the primary VM's RAM");
    }
    return set;
}

Vector<std::byte> PrimaryVm::make_tree(const gh_rm_boot& boot, const void* dtb,
                                       const Layout& layout) const {
    dt::Editor tree(dtb, tree_slack);
    const PrimaryTreeFacts facts{
        .ram = ram_.ranges(),
        .cpu_mpidr = std::span(boot.cpu_mpidr).first(cpus_),
        .bootargs = layout.bootargs,
        .initrd = layout.initrd,
        .rpc_send_cap = from_vm_.vm_copy.id().value,
        .rpc_receive_cap = to_vm_.vm_copy.id().value,
        .rpc_send_irq = from_vm_.vm_irq.number(),
        .rpc_receive_irq = to_vm_.vm_irq.number(),
    };
    const char* wrong = patch_primary_tree(tree, facts);
    if (wrong != nullptr) {
        fatal("the board's device tree: {}", wrong);
    }
    const auto packed = tree.packed();
    Vector<std::byte> copy;
    if (packed.empty() || packed.size() > max_dtb_size || !copy.grow_to(packed.size())) {
        fatal("changing the board's device tree failed: libfdt error {}, {} bytes", tree.error(),
              packed.size());
    }
    std::memcpy(copy.begin(), packed.data(), packed.size());
    return copy;
}

void PrimaryVm::store(std::span<const std::byte> bytes, std::uint64_t ipa, Window& window) const {
    const Range range{ipa, align_up(bytes.size(), page_size)};
    const ExtentPiece piece = ram_.front_piece(range);
    const auto view = window.open(std::span(&piece, 1), GH_ACCESS_RW);
    if (!view) {
        fatal("writing the primary VM's device tree: {}", view.error());
    }
    std::memcpy(view->data(), bytes.data(), bytes.size());
    window.close();
    clean(range);
}

/// The kernel starts with its MMU off and reads past the caches.
void PrimaryVm::clean(const Range& range) const {
    Range rest{align_down(range.base, page_size), 0};
    rest.size = align_up(range.end(), page_size) - rest.base;
    while (rest.size != 0) {
        const ExtentPiece piece = ram_.front_piece(rest);
        const auto done = root_.hypervisor.clean_cache(piece);
        if (!done) {
            fatal("cleaning {x} + {x} from the caches: {}", rest.base, piece.size, done.error());
        }
        rest = {rest.base + piece.size, rest.size - piece.size};
    }
}

} // namespace rm
