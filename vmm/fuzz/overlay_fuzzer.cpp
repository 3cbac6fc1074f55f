// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: device tree overlays.
#include <libfdt.h>

#include "fuzz/memory_file.hpp"
#include "libgunyah/error.hpp"
#include "machine/device_tree.hpp"
#include "machine/device_tree_overlay.hpp"

namespace {

constexpr std::size_t capacity = 16 * 1024;

std::vector<std::byte> guest_tree() {
    using Kind = vmm::DeviceDescription::Kind;
    return vmm::build_device_tree({.cpus = 2,
                                   .ram_base = 0x8000'0000,
                                   .command_line = "quiet",
                                   .initrd = std::nullopt,
                                   .devices = {{Kind::pl061, 0x902'0000, 0x1000, 1},
                                               {Kind::virtio_mmio, 0xa00'0000, 0x200, 2}},
                                   .kaslr_seed = 0,
                                   .random_seed = {}},
                                  capacity);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<std::byte> base = guest_tree();
    try {
        const auto overlay = vmm::DeviceTreeOverlay::open(vmm::fuzz::memory_file(data, size));
        const auto tree = overlay.apply(base, capacity);
        if (tree.size() > capacity || ::fdt_check_full(tree.data(), tree.size()) != 0) {
            std::abort();
        }
    } catch (const gunyah::Error&) {
        return 0; // said so
    }
    return 0;
}
