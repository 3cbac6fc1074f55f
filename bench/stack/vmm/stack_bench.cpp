// SPDX-License-Identifier: BSD-3-Clause
// stack_bench IMAGE: runs the measuring guest through libgunyah and prints one line for each row.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "app/vcpu_threads.hpp"
#include "bench_device.hpp"
#include "devices/mmio_bus.hpp"
#include "libgunyah/device.hpp"
#include "libgunyah/error.hpp"
#include "linux_alone.hpp"
#include "machine/boot_files.hpp"
#include "machine/device_tree.hpp"
#include "machine/host_memory.hpp"
#include "machine/layout.hpp"

namespace bench {
namespace {

struct Times {
    std::uint64_t memory; // giving the memory to the driver
    std::uint64_t start;  // GH_VM_START until the guest's first instruction
    std::uint64_t end;    // until everything is taken down and the memory is back
};

std::vector<std::byte> device_tree(std::uint32_t cpus) {
    const vmm::GuestDescription guest{.cpus = cpus,
                                      .ram_base = ram_base,
                                      .command_line = "",
                                      .initrd = std::nullopt,
                                      .devices = {{vmm::DeviceDescription::Kind::virtio_mmio,
                                                   device_base, device_size, device_spi}},
                                      .kaslr_seed = 0,
                                      .random_seed = {}};
    return vmm::build_device_tree(guest, vmm::MemoryPlan::device_tree_area / 2);
}

Times run_guest(const std::string& image, std::uint64_t memory_size, Task task) {
    constexpr std::uint32_t cpus = 2;
    Times times{};
    const vmm::BootFiles files = vmm::BootFiles::open(image, "", memory_size);
    vmm::allow_locked_memory(memory_size);
    gunyah::MemoryRegion region = gunyah::MemoryRegion::anonymous(memory_size);
    const vmm::GuestMemory memory{ram_base, region.bytes()};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the guest's own structure
    auto& control = *reinterpret_cast<Control*>(region.bytes().data() + control_offset);
    std::uint64_t ended = 0;
    {
        gunyah::Vm vm = gunyah::Device::open().create_vm();
        const std::uint64_t begin = counter();
        vm.set_memory_region(0, ram_base, region);
        times.memory = counter() - begin;
        files.load(memory);
        control.task = task;
        const std::vector<std::byte> tree = device_tree(cpus);
        std::memcpy(memory.range(files.plan().device_tree, tree.size()).value().data(), tree.data(),
                    tree.size());
        vm.set_device_tree(files.plan().device_tree, vmm::MemoryPlan::device_tree_area / 2);
        const gunyah::IoEventFd event = vm.add_ioeventfd(device_base + reg_event, 4, std::nullopt);
        BenchDevice device{
            vm.add_irqfd(vmm::layout::doorbell_label(device_spi), gunyah::IrqTrigger::edge),
            control};
        vmm::MmioBus bus;
        bus.add(device_base, device_size, device);
        std::vector<gunyah::Vcpu> vcpus;
        for (std::uint32_t id = 0; id < cpus; ++id) {
            vcpus.push_back(vm.add_vcpu(id));
        }
        const std::uint64_t started = counter();
        vm.start();
        {
            const vmm::VcpuThreads threads{vcpus, bus, [](const vmm::Outcome& outcome) {
                                               std::printf("bench: %s\n", outcome.sentence.c_str());
                                           }};
            device.wait();
        }
        times.start = control.first_instruction - started;
        ended = counter();
    }
    times.end = counter() - ended;
    return times;
}

void print_life(const char* size, const Times& times) {
    std::printf("bench vm_memory_%s %llu\n", size, static_cast<unsigned long long>(times.memory));
    std::printf("bench vm_start_%s %llu\n", size, static_cast<unsigned long long>(times.start));
    std::printf("bench vm_destroy_%s %llu\n", size, static_cast<unsigned long long>(times.end));
    std::fflush(stdout);
}

void run_all(const std::string& image) {
    constexpr std::uint64_t mebibyte = 1 << 20;
    measure_linux_alone();
    run_guest(image, 8 * mebibyte, task_measure);
    print_life("8m", run_guest(image, 8 * mebibyte, task_start_only));
    print_life("192m", run_guest(image, 192 * mebibyte, task_start_only));
    print_life("1g", run_guest(image, 1024 * mebibyte, task_start_only));
}

} // namespace
} // namespace bench

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: stack_bench IMAGE\n");
        return 2;
    }
    try {
        bench::run_all(argv[1]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "stack_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
