// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: a guest's device tree, from VM_CONFIG_IMAGE to the running VM and back. Whatever the
// tree, the Resource Manager ends the VM and has what it had before.
#include "tree_edits.hpp"

#include "testing/primary_linux.hpp"

#include <cstdlib>

namespace {

using namespace rm::testing;

constexpr std::uint64_t memory = 0x5000'0000;
constexpr std::uint64_t memory_size = 0x1'0000;
constexpr std::uint64_t tree_offset = 0x8000;
constexpr std::uint64_t tree_room = memory_size - tree_offset;

struct Left {
    std::size_t objects, capabilities, pages, virqs;
    bool operator==(const Left&) const = default;
};

Left left(PrimaryLinux& linux_vm) {
    return {linux_vm.model.objects(), linux_vm.model.capabilities(), linux_vm.model.mapped_pages(),
            linux_vm.virqs.used()};
}

/// A tree that a VMM could have made.
std::vector<std::byte> good_tree(vmm::fuzz::FuzzInput& input) {
    const auto choice = input.take<std::uint8_t>();
    rm::dt::Editor editor = guest_tree({.cpus = 1U + choice % 4,
                                        .bells = choice / 4 % 4U,
                                        .affinity = (choice & 0x10) != 0 ? "static" : "proxy",
                                        .feature = (choice & 0x20) != 0 ? "pv-time" : "",
                                        .initrd_end = (choice & 0x40) != 0 ? 0x8000'8000U : 0U,
                                        .bark = (choice & 0x80) != 0 ? 20U : 0U});
    const auto packed = editor.packed();
    return {packed.begin(), packed.end()};
}

void require(bool good) {
    if (!good) {
        std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static PrimaryLinux linux_vm;
    static const Left before = left(linux_vm);
    vmm::fuzz::FuzzInput input{data, size};
    const fuzz::Tree tree = fuzz::edited_tree(good_tree(input), input);
    linux_vm.model.write(memory, "guest code", 11);
    linux_vm.model.write(memory + tree_offset, tree.data(),
                         std::min<std::size_t>(tree.size(), tree_room));
    const std::uint16_t vmid = linux_vm.alloc();
    const std::uint32_t parcel = linux_vm.share(vmid, memory, memory_size);
    require(linux_vm.config_image(vmid, parcel, tree_offset, tree_room).error == GH_RM_ERROR_OK);
    const bool ready = linux_vm.vm_call(GH_RM_VM_INIT, vmid).error == GH_RM_ERROR_OK;
    (void)linux_vm.vm_call(GH_RM_VM_GET_HYP_RESOURCES, vmid);
    if (ready && linux_vm.vm_call(GH_RM_VM_START, vmid).error == GH_RM_ERROR_OK) {
        const auto stop = wire(vmid, U8{GH_RM_VM_STOP_FORCE}, U8{0}, U32{0});
        require(linux_vm.call(GH_RM_VM_STOP, stop).error == GH_RM_ERROR_OK);
    }
    require(linux_vm.vm_call(GH_RM_VM_RESET, vmid).error == GH_RM_ERROR_OK);
    require(linux_vm.call(GH_RM_MEM_RECLAIM, wire(parcel, U32{0})).error == GH_RM_ERROR_OK);
    require(linux_vm.vm_call(GH_RM_VM_DEALLOC_VMID, vmid).error == GH_RM_ERROR_OK);
    require(left(linux_vm) == before);
    linux_vm.notifications.clear();
    linux_vm.log.lines.clear();
    return 0;
}
