// SPDX-License-Identifier: BSD-3-Clause
// PSCI CPU_ON for every CPU of the platform (Arm DEN0022, 5.1.4).
#include "boot/cpu_startup.hpp"

#include "arm64/el2_memory.hpp"
#include "heap/page_allocator.hpp"
#include "platform/console.hpp"

#include <arch/cache.hpp>
#include <arch/cpu.hpp>
#include <arch/guest_state.hpp>
#include <arch/physmap.hpp>
#include <arch/smccc.hpp>
#include <arch/sysreg.hpp>
#include <runtime/panic.hpp>

#include <atomic>

extern "C" {
extern const char image_end[];
void secondary_entry();
}

namespace hyp {

namespace arch {
constinit std::array<PerCpu, max_cpus> percpus{};
}

namespace {

constexpr std::uint32_t psci_cpu_on = 0xc400'0003;
constexpr std::uint64_t start_timeout_seconds = 5;

/// What a CPU with its MMU off needs to get going; head.S knows the layout.
struct SecondaryStart {
    std::uint64_t tables; // physical
    std::uint64_t stack;  // top, virtual
    arch::PerCpu* percpu; // virtual
};
static_assert(offsetof(SecondaryStart, stack) == 8 && offsetof(SecondaryStart, percpu) == 16);

// Cleaned to memory before use, hence alone in its cache lines (2 KiB is the architecture's most).
constexpr std::size_t largest_cache_line = 2048;
struct alignas(largest_cache_line) IsolatedStart {
    SecondaryStart start;
};
constinit IsolatedStart start_block{};

alignas(16) constinit std::array<std::byte, arch::emergency_stack_size> boot_emergency_stack{};

constinit std::array<std::uint64_t, max_cpus> mpidrs{};
constinit std::atomic<unsigned> ready_cpus{0};
constinit unsigned running = 1;

std::uint64_t new_stack(std::uint64_t size) {
    void* memory = page_allocator().allocate(PageAllocator::order_for(size));
    rt::ensure(memory != nullptr, "no memory for the stack of a CPU");
    return arch::map_stack(virt_to_phys(memory), size);
}

bool wait_until_ready(unsigned count) {
    const std::uint64_t end = arch::counter() + start_timeout_seconds * arch::counter_frequency();
    while (ready_cpus.load(std::memory_order_acquire) != count) {
        if (arch::counter() > end) {
            return false;
        }
    }
    return true;
}

/// Starts one CPU as `index`; false if firmware refuses.
bool start_cpu(unsigned index, std::uint64_t mpidr, const SecondaryStart& start) {
    start_block.start = start;
    clean_range(&start_block, sizeof(start_block));
    const auto entry = virt_to_phys(reinterpret_cast<const void*>(&secondary_entry));
    const auto result = arch::firmware_call(psci_cpu_on, mpidr, entry.value,
                                            virt_to_phys(&start_block.start).value);
    const auto status = static_cast<std::int32_t>(result.x0);
    if (status != 0) {
        log("CPU {x} did not start: firmware's CPU_ON says {}", mpidr, status);
        return false;
    }
    rt::ensure(wait_until_ready(index), "a CPU that firmware started did not arrive");
    return true;
}

} // namespace

void init_boot_cpu() {
    arch::PerCpu& self = arch::percpus[0];
    self.stack_top = reinterpret_cast<std::uint64_t>(image_end);
    self.emergency_stack =
        reinterpret_cast<std::uint64_t>(boot_emergency_stack.data()) + boot_emergency_stack.size();
    mpidrs[0] = HYP_READ_SYSREG(mpidr_el1) & mpidr_affinity_mask;
    HYP_WRITE_SYSREG(tpidr_el2, reinterpret_cast<std::uint64_t>(&self));
}

void start_other_cpus(const Platform& platform) {
    for (std::size_t i = 1; i < platform.cpus.size(); ++i) {
        const unsigned index = running;
        arch::PerCpu& cpu = arch::percpus[index];
        if (cpu.stack_top == 0) { // else it was made for a CPU that did not start
            cpu.stack_top = new_stack(arch::stack_size);
            cpu.emergency_stack = new_stack(arch::emergency_stack_size);
            cpu.index = index;
        }
        mpidrs[index] = platform.cpus[i];
        if (start_cpu(index, platform.cpus[i], {arch::el2_tables_root(), cpu.stack_top, &cpu})) {
            ++running;
        }
    }
    arch::remove_identity_map();
}

unsigned cpus_running() {
    return running;
}

std::uint64_t cpu_mpidr(unsigned index) {
    return mpidrs[index];
}

void cpu_is_ready() {
    ready_cpus.fetch_add(1, std::memory_order_release);
}

extern "C" void secondary_main() {
    cpu_main(cpu_index());
}

} // namespace hyp
