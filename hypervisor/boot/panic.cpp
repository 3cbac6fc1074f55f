// SPDX-License-Identifier: BSD-3-Clause
// The hypervisor's last words: what happened, registers, backtrace; then every CPU stops.
#include "arm64/exception.hpp"
#include "boot/cpu_startup.hpp"
#include "interrupt/gicv3.hpp"
#include "platform/console.hpp"
#include "platform/halt.hpp"

#include <arch/cpu.hpp>
#include <arch/sysreg.hpp>
#include <runtime/panic.hpp>

extern "C" const char image_start[];

namespace hyp {

namespace {

using arch::El2Frame;

constexpr unsigned most_frames = 32;

struct FrameRecord { // AAPCS64: what x29 points to
    const FrameRecord* caller;
    std::uint64_t return_address;
};

/// Follows frame pointers as long as they stay on this CPU's own stack and go up.
void print_backtrace(std::uint64_t frame_pointer) {
    log("  the image is at {x}", reinterpret_cast<std::uint64_t>(image_start));
    const std::uint64_t top = arch::this_cpu().stack_top;
    const std::uint64_t bottom = top - arch::stack_size;
    std::uint64_t above = bottom;
    for (unsigned i = 0; i < most_frames; ++i) {
        const bool on_stack = frame_pointer >= above &&
                              frame_pointer <= top - sizeof(FrameRecord) && frame_pointer % 16 == 0;
        if (!on_stack) {
            return;
        }
        const auto& record = *reinterpret_cast<const FrameRecord*>(frame_pointer);
        if (record.return_address == 0) {
            return;
        }
        log("  called from {x}", record.return_address);
        above = frame_pointer + sizeof(FrameRecord);
        frame_pointer = reinterpret_cast<std::uint64_t>(record.caller);
    }
}

void print_registers(const El2Frame& frame) {
    for (unsigned i = 0; i + 1 < 30; i += 3) {
        log("  x{} {x16}  x{} {x16}  x{} {x16}", i, frame.x[i], i + 1, frame.x[i + 1], i + 2,
            frame.x[i + 2]);
    }
    log("  x30 {x16}  sp {x16}  elr {x16}", frame.x[30], frame.sp, frame.elr);
    log("  spsr {x}  esr {x}  far {x}", frame.spsr, frame.esr, frame.far);
}

/// The first CPU to panic goes on to report; any other, and a panic within a panic, sleeps here.
void begin_panic() {
    if (!request_halt()) {
        halt_this_cpu();
    }
    console().enter_panic();
    for (unsigned cpu = 0; cpu < cpus_running(); ++cpu) {
        if (cpu != cpu_index()) {
            gic().send_sgi(cpu, sgi_reschedule);
        }
    }
}

std::string_view vector_name(unsigned vector) {
    constexpr std::array<std::string_view, 4> names{"", "an interrupt", "a fast interrupt",
                                                    "an SError"};
    return names[vector % names.size()];
}

} // namespace

extern "C" [[noreturn]] void el2_exception(const El2Frame& frame, unsigned vector) {
    begin_panic();
    const std::uint64_t stack = arch::this_cpu().stack_top - arch::stack_size;
    const bool overflow =
        arch::is_abort(frame.esr) && frame.far < stack && stack - frame.far <= page_size;
    if (overflow) {
        log("PANIC: CPU {}: the hypervisor's stack overflowed", cpu_index());
    } else if (vector % 4 != 0) {
        log("PANIC: CPU {}: {} in the hypervisor", cpu_index(), vector_name(vector));
    } else if (arch::is_abort(frame.esr)) {
        log("PANIC: CPU {}: {} at {x} in the hypervisor: {}", cpu_index(),
            arch::exception_class_name(frame.esr), frame.far, arch::fault_status_name(frame.esr));
    } else {
        log("PANIC: CPU {}: {} in the hypervisor", cpu_index(),
            arch::exception_class_name(frame.esr));
    }
    print_registers(frame);
    print_backtrace(frame.x[29]);
    halt_this_cpu();
}

} // namespace hyp

void rt::panic(const char* reason) {
    hyp::begin_panic();
    hyp::log("PANIC: CPU {}: {}", hyp::cpu_index(), reason);
    hyp::print_backtrace(reinterpret_cast<std::uint64_t>(__builtin_frame_address(0)));
    hyp::halt_this_cpu();
}
