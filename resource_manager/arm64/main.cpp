// SPDX-License-Identifier: BSD-3-Clause
// The Resource Manager's main program on arm64: start-up and the event loop.
#include "arm64/address_map.hpp"
#include "arm64/gic.hpp"
#include "arm64/heap_operators.hpp"
#include "arm64/hvc_hypervisor.hpp"
#include "arm64/stage1.hpp"
#include "log/log.hpp"
#include "log/rate_limit.hpp"
#include "service/resource_manager.hpp"

#include <runtime/flat_tree.hpp>
#include <runtime/panic.hpp>
#include <runtime/startup.hpp>

#include <new>

extern "C" void rm_hypercall(const std::uint64_t* arguments, std::uint64_t number,
                             std::uint64_t* results);

namespace {

constinit std::uint64_t own_vcpu_cap = GH_CAPID_INVALID;
constinit bool is_panicking = false;

/// Objects that live as long as RM, constructed in order, never destroyed.
template <typename T>
union Static {
    T object;
    constexpr Static() {}
    ~Static() {}
};

Static<rm::HvcHypervisor> hypervisor;
Static<rm::HypervisorConsole> console;
Static<rm::Root> root;
Static<rm::VirqAllocator> virqs;
Static<rm::Gic> gic;

std::uint64_t virtual_count() {
    std::uint64_t value = 0;
    asm volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
}

/// Hertz; firmware that left the register unset gets a plausible one.
std::uint64_t counter_frequency() {
    constexpr std::uint64_t plausible = 100'000'000;
    std::uint64_t value = 0;
    asm volatile("mrs %0, cntfrq_el0" : "=r"(value));
    return value < 1000 ? plausible : value;
}

[[noreturn]] void halt() {
    std::array<std::uint64_t, 8> registers{own_vcpu_cap, GH_VCPU_POWEROFF_LAST};
    rm_hypercall(registers.data(), GH_VCPU_POWEROFF, registers.data());
    for (;;) {
        asm volatile("wfi");
    }
}

void check_tree(const void* dtb, std::uint64_t size) {
    if (!rt::FlatTree::is_well_formed(dtb, size)) {
        rm::fatal("the board's device tree is damaged");
    }
}

[[noreturn]] void serve(rm::ResourceManager& manager) {
    for (;;) {
        while (const auto intid = gic.object.acknowledge()) {
            manager.on_interrupt(*intid);
        }
        manager.work();
        rm::Gic::wait(); // returns at once if an interrupt came in between
    }
}

} // namespace

namespace rt {

void panic(const char* reason) {
    if (!is_panicking) {
        is_panicking = true;
        rm::log("PANIC: {}", reason);
    }
    halt();
}

} // namespace rt

extern "C" [[noreturn]] void rm_exception(std::uint64_t entry, std::uint64_t syndrome,
                                          std::uint64_t pc, std::uint64_t address) {
    rm::fatal("exception {} at {x}: ESR_EL1 {x}, FAR_EL1 {x}", entry, pc, syndrome, address);
}

extern "C" [[noreturn]] void rm_main(const gh_rm_boot* boot) {
    rm::enable_stage1(boot->memory.size);
    own_vcpu_cap = boot->vcpu_cap;
    rt::run_static_constructors();
    new (&hypervisor.object) rm::HvcHypervisor();
    new (&console.object) rm::HypervisorConsole(hypervisor.object, rm::CapId{boot->partition_cap});
    rm::set_log_sink(&console.object);
    rm::log("resource manager started");
    constexpr std::uint64_t refusals_a_second = 10;
    rm::refusal_limit().set_clock(virtual_count, counter_frequency() / refusals_a_second);

    const std::uint64_t end = boot->memory.base + boot->memory.size;
    if (boot->free_base >= end || end > rm::own_memory_limit) {
        rm::fatal("RM's memory {x} + {x} has its free part at {x}", boot->memory.base,
                  boot->memory.size, boot->free_base);
    }
    rm::own_heap().add(reinterpret_cast<void*>(boot->free_base), end - boot->free_base);
    const auto entropy = hypervisor.object.entropy(sizeof(std::uint64_t));
    if (entropy) {
        rt::seed_stack_guard((*entropy)[0]);
    }
    new (&root.object) rm::Root{.hypervisor = hypervisor.object,
                                .partition = rm::CapId{boot->partition_cap},
                                .cspace = rm::CapId{boot->cspace_cap},
                                .addrspace = rm::CapId{boot->addrspace_cap},
                                .vic = rm::CapId{boot->vic_cap}};
    new (&virqs.object) rm::VirqAllocator(1, 0);
    new (&gic.object) rm::Gic(root.object, virqs.object);

    const void* dtb = reinterpret_cast<const void*>(boot->dtb_ipa);
    check_tree(dtb, boot->dtb_size);
    const auto* hwirqs = reinterpret_cast<const std::uint64_t*>(boot->hwirq_caps_ipa);
    auto* manager = new (std::nothrow)
        rm::ResourceManager(*boot, {.hypervisor = hypervisor.object,
                                    .interrupts = gic.object,
                                    .window_ipa = rm::own_window,
                                    .window_size = rm::own_window_size,
                                    .window_view = reinterpret_cast<std::byte*>(rm::own_window)});
    if (manager == nullptr) {
        rm::fatal("RM's memory of {x} bytes is too small", boot->memory.size);
    }
    manager->boot(*boot, std::span(hwirqs, boot->hwirq_count), dtb);
    serve(*manager);
}
