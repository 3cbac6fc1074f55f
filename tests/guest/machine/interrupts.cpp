// SPDX-License-Identifier: BSD-3-Clause
// Counts interrupts per CPU, and runs hooks.
#include "machine/interrupts.hpp"

#include "check/check.hpp"
#include "check/watchdog.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/gic.hpp"
#include "machine/sysreg.hpp"

#include <array>
#include <atomic>

namespace test {

namespace {

constexpr std::size_t intids = 1020;

struct Line {
    std::atomic<bool> allowed;
    std::atomic<InterruptHook> hook;
    std::array<std::atomic<std::uint32_t>, max_cpus> count;
};

constinit std::array<Line, intids> lines{};

} // namespace

void handle_interrupt(std::uint64_t interrupted_pc) {
    const std::uint32_t intid = gic::acknowledge();
    if (intid >= intids) {
        return; // it went away again
    }
    if (watchdog_owns(intid)) {
        watchdog_bites(intid, interrupted_pc);
        return;
    }
    Line& line = lines[intid];
    if (!line.allowed) {
        gic::disable(intid);
        gic::end_of_interrupt(intid);
        fail("unexpected interrupt {} at image + {x}", intid, image_offset(interrupted_pc));
    }
    line.count[this_cpu()].fetch_add(1, std::memory_order_relaxed);
    if (const InterruptHook hook = line.hook) {
        hook(intid);
    }
    gic::end_of_interrupt(intid);
}

void reset_interrupts() {
    // A check that was abandoned inside an interrupt left the priority raised.
    for (std::uint32_t i = 0; i < intids && gic::running_priority() != 0xff; ++i) {
        if (gic::is_active(i)) {
            gic::end_of_interrupt(i);
        }
    }
    gic::init_distributor();
    gic::init_cpu();
    for (Line& line : lines) {
        line.allowed = false;
        line.hook = nullptr;
        for (auto& count : line.count) {
            count = 0;
        }
    }
}

void allow_interrupt(std::uint32_t intid, InterruptHook hook, std::uint8_t priority) {
    lines[intid].hook = hook;
    lines[intid].allowed = true;
    gic::set_priority(intid, priority);
    if (intid >= gic::first_spi) {
        gic::route(intid, board().mpidr[this_cpu()]);
    }
    gic::enable(intid);
}

std::uint32_t interrupt_count_on(unsigned cpu, std::uint32_t intid) {
    return lines[intid].count[cpu].load(std::memory_order_relaxed);
}

std::uint32_t interrupt_count(std::uint32_t intid) {
    std::uint32_t sum = 0;
    for (unsigned cpu = 0; cpu < max_cpus; ++cpu) {
        sum += interrupt_count_on(cpu, intid);
    }
    return sum;
}

bool wait_for_count(std::uint32_t intid, std::uint32_t seen, std::uint64_t ms) {
    const Deadline deadline = Deadline::after_ms(ms);
    const Alarm alarm(ms); // so that the sleep ends at the deadline
    while (interrupt_count(intid) <= seen) {
        if (deadline.passed()) {
            return false;
        }
        // Masked from the look at the counter to the sleep: nothing can get lost in between.
        const MaskedInterrupts masked;
        if (interrupt_count(intid) <= seen && !deadline.passed()) {
            wait_for_interrupt();
        }
    }
    return true;
}

MaskedInterrupts::MaskedInterrupts() : daif_(READ_SYSREG(daif)) {
    mask_interrupts();
}

MaskedInterrupts::~MaskedInterrupts() {
    WRITE_SYSREG(daif, daif_);
}

} // namespace test
