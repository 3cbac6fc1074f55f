// SPDX-License-Identifier: BSD-3-Clause
// Example of libgunyah: boots a kernel on one CPU and prints its early console.
// boot_kernel Image TREE: the tree has RAM at 2 GiB and the console's PL011 at 0x9000000.
#include <cstdio>
#include <fstream>

#include "libgunyah/device.hpp"
#include "libgunyah/error.hpp"

namespace {

constexpr std::uint64_t ram_base = 0x8000'0000; // the kernel is entered here
constexpr std::size_t tree_offset = std::size_t{126} << 20;
constexpr std::size_t tree_room = std::size_t{1} << 20; // the Resource Manager adds to the tree
constexpr std::size_t ram_size = std::size_t{128} << 20;
constexpr std::uint64_t uart_data = 0x900'0000;
constexpr std::uint64_t uart_idle = 0x90; // flag register: nothing to read, nothing being sent

void load(const char* path, std::span<std::byte> to) {
    std::ifstream file{path, std::ios::binary};
    file.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size()));
    if (file.gcount() == 0 || !file.eof()) {
        throw gunyah::Error{gunyah::ErrorKind::invalid_input, path, "missing or too large", ""};
    }
}

int boot(const char* kernel, const char* tree) {
    const auto ram = gunyah::MemoryRegion::anonymous(ram_size);
    load(kernel, ram.bytes().first(tree_offset));
    load(tree, ram.bytes().subspan(tree_offset, tree_room));
    gunyah::Vm vm = gunyah::Device::open().create_vm();
    vm.set_memory_region(0, ram_base, ram);
    vm.set_device_tree(ram_base + tree_offset, tree_room);
    gunyah::Vcpu vcpu = vm.add_vcpu(0);
    vm.start();
    for (;;) {
        const gunyah::VcpuExit exit = vcpu.run();
        if (std::holds_alternative<gunyah::MmioRead>(exit)) {
            vcpu.complete_read(uart_idle);
        } else if (const auto* write = std::get_if<gunyah::MmioWrite>(&exit)) {
            if (write->address == uart_data) {
                std::putchar(static_cast<int>(write->value));
            }
        } else if (const auto* end = std::get_if<gunyah::VmStopped>(&exit)) {
            std::printf("the VM has ended: type %u\n", static_cast<unsigned>(end->type));
            return 0;
        } else if (!std::holds_alternative<gunyah::Interrupted>(exit)) {
            return 1;
        }
    }
}

} // namespace

int main(int argc, char** argv) try {
    return argc == 3 ? boot(argv[1], argv[2]) : 2;
} catch (const gunyah::Error& error) {
    return std::fprintf(stderr, "boot_kernel: %s\n", error.what()), 1;
}
