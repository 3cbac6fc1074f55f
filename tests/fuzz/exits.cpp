// SPDX-License-Identifier: BSD-3-Clause
// How a CPU of the machine runs: enters, exits, interrupts, time.
#include "machine.hpp"

#include "interrupt/gicv3.hpp"
#include "schedule/scheduler.hpp"

#include <abi/hypercall.h>
#include <arch/firmware_end.hpp>
#include <arch/gic.hpp>
#include <arch/work.hpp>

#include <algorithm>
#include <utility>

namespace hyp {

// trap/guest_exit.cpp and trap/smccc.cpp: what arm64/guest_exit.S calls.
extern "C" std::uint64_t guest_trap(Vcpu& vcpu, std::uint64_t esr);
extern "C" GuestRegisters* guest_trap_left_work(Vcpu& vcpu);
extern "C" GuestRegisters* guest_interrupt(Vcpu& vcpu);
extern "C" std::uint64_t guest_hypercall(Vcpu& vcpu, std::uint64_t esr);
extern "C" GuestRegisters* guest_hypercall_left_work(Vcpu& vcpu, std::uint64_t x0);

} // namespace hyp

namespace fuzz {

namespace {

struct Idle {};

void sleep() {
    if (hyp::fake::gic_cpu(hyp::cpu_index()).pending.empty()) {
        throw Idle{};
    }
}

/// SGIs that this CPU has sent reach the others.
void forward_sgis(unsigned from) {
    auto& sent = hyp::fake::gic_cpu(from).sgi1r;
    if (!std::exchange(sent, {}).empty()) {
        for (unsigned cpu = 0; cpu < Machine::cpus; ++cpu) {
            if (cpu != from) {
                Machine::interrupt(cpu, hyp::sgi_reschedule);
            }
        }
    }
}

bool creates(unsigned number) {
    return (number >= GH_PARTITION_CREATE_PARTITION && number <= GH_PARTITION_CREATE_VPM_GROUP) ||
           number == GH_PARTITION_CREATE_VIRTIO_MMIO || number == GH_CSPACE_COPY_CAP_FROM;
}

} // namespace

template <typename Work>
bool Machine::on(unsigned cpu, const Work& work) {
    bool awake = false;
    hyp::fake::set_cpu_index(cpu);
    hyp::fake::guest_hardware().on_idle = sleep;
    try {
        work();
        awake = true;
    } catch (const Idle&) {
        awake = false;
    } catch (const hyp::fake::FirmwareEnd&) {
        ended_ = true;
    }
    forward_sgis(cpu);
    return awake;
}

hyp::Vcpu* Machine::enter(unsigned cpu) {
    hyp::Vcpu* entered = nullptr;
    const auto come_in = [&] {
        hyp::GuestRegisters* registers = hyp::scheduler().resume();
        if (!hyp::fake::gic_cpu(cpu).pending.empty()) { // taken as soon as it is entered
            registers = hyp::guest_interrupt(*hyp::scheduler().loaded());
        }
        entered = hyp::scheduler().loaded();
        if (entered == nullptr || &entered->registers != registers) {
            std::abort(); // what is entered is not what the hardware holds
        }
    };
    return !ended_ && on(cpu, come_in) ? entered : nullptr;
}

/// The capability that the call made, and, so that it can be emptied, the space.
void Machine::note_new(hyp::Vcpu& caller, unsigned number) {
    const Word name = caller.registers.x[1];
    if (!creates(number) || caller.registers.x[0] != GH_ERROR_OK) {
        return;
    }
    if (std::ranges::find(names_, name) == names_.end()) {
        names_.push_back(name);
    }
    for (std::size_t i = 0; i < spaces_.size(); ++i) {
        auto made = spaces_[i]->lookup<hyp::Cspace>(name, 0);
        if (made && std::ranges::find(spaces_, *made) == spaces_.end()) {
            spaces_.push_back(*made);
        }
    }
}

void Machine::hypercall(unsigned cpu, hyp::Vcpu& caller, unsigned number,
                        std::span<const Word> arguments) {
    std::fill_n(caller.registers.x, 8, Word{0});
    std::copy(arguments.begin(), arguments.end(), caller.registers.x);
    const hyp::Ref<hyp::Vcpu> kept(caller);
    (void)on(cpu, [&] {
        const Word x0 = hyp::guest_hypercall(caller, GH_HVC_IMM_BASE + number);
        if (x0 == GH_ERROR_OK) {
            caller.registers.x[0] = x0;
            note_new(caller, number);
        }
        (void)hyp::guest_hypercall_left_work(caller, x0);
    });
}

void Machine::exit(unsigned cpu, hyp::Vcpu& vcpu, const hyp::arch::ExitSyndrome& syndrome) {
    constexpr unsigned hvc = 0x16;
    const hyp::Ref<hyp::Vcpu> kept(vcpu);
    (void)on(cpu, [&] {
        hyp::fake::guest_hardware().syndrome = syndrome;
        if ((syndrome.esr >> 26 & 0x3f) == hvc) {
            const Word x0 = hyp::guest_hypercall(vcpu, syndrome.esr);
            (void)hyp::guest_hypercall_left_work(vcpu, x0);
        } else {
            vcpu.registers.pc += hyp::guest_trap(vcpu, syndrome.esr);
            (void)hyp::guest_trap_left_work(vcpu);
        }
    });
}

void Machine::interrupt(unsigned cpu, std::uint32_t intid) {
    hyp::fake::gic_cpu(cpu).pending.push_back(intid);
}

void Machine::pass(Word ticks) {
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        hyp::fake::set_cpu_index(cpu);
        auto& hardware = hyp::fake::guest_hardware();
        hardware.counter += ticks;
        if (hardware.counter >= hardware.deadline) {
            interrupt(cpu, hyp::ppi_hypervisor_timer);
        }
    }
}

} // namespace fuzz
