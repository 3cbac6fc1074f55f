// SPDX-License-Identifier: BSD-3-Clause
// The fake hardware behind arch/guest_state.hpp, one per pretended CPU.
#include <arch/cpu.hpp>
#include <arch/debug_registers.hpp>
#include <arch/guest_exception.hpp>
#include <arch/guest_state.hpp>
#include <arch/id_registers.hpp>
#include <arch/pmu.hpp>

#include <cstdlib>

namespace hyp {

fake::GuestHardware& fake::guest_hardware() {
    static std::array<GuestHardware, max_cpus> hardware;
    return hardware[cpu_index()];
}

fake::ExceptionRegisters& fake::exception_registers() {
    static ExceptionRegisters registers;
    return registers;
}

namespace arch {

using fake::guest_hardware;

void GuestState::reset(std::uint64_t vmpidr) {
    const GuestFeatures kept = features;
    *this = GuestState{};
    features = kept;
    system.vmpidr = vmpidr;
}

void GuestState::flush_vectors() {
    vectors_unsaved = false;
}

void GuestState::save(bool lends) {
    if (guest_hardware().loaded != this) {
        std::abort(); // what is saved must be what was loaded on this CPU
    }
    guest_hardware().loaded = nullptr;
    vectors_unsaved = lends;
}

void GuestState::load(std::uint64_t vttbr) {
    if (guest_hardware().loaded != nullptr) {
        std::abort(); // the previous vCPU's state would be lost
    }
    guest_hardware().loaded = this;
    vectors_unsaved = false;
    guest_hardware().vttbr = vttbr;
}

void set_running(Vcpu&, GuestRegisters& registers) {
    guest_hardware().registers = &registers;
}

void stop_guest_timers() {}

void unload_guest() {
    guest_hardware().vttbr = 0;
}

std::uint64_t counter() {
    return guest_hardware().counter;
}

std::uint64_t counter_frequency() {
    return 1'000'000'000;
}

void set_deadline(std::uint64_t deadline) {
    guest_hardware().deadline = deadline;
}

void clear_deadline() {
    guest_hardware().deadline = ~std::uint64_t{0};
}

std::optional<Ipa> translate_guest(VirtAddr va, bool) {
    if (guest_hardware().translation_faults) {
        return std::nullopt;
    }
    return Ipa{va.value};
}

PhysAddr translate_guest_fully(VirtAddr, bool) {
    return {~std::uint64_t{0}}; // there is no CPU that could walk the tables
}

ExitSyndrome read_syndrome() {
    return guest_hardware().syndrome;
}

void wait_for_interrupt() {
    if (guest_hardware().on_idle == nullptr) {
        std::abort(); // a test that lets a CPU idle must say what ends it
    }
    guest_hardware().on_idle();
}

void load_debug(const DebugRegisters&) {}
void trap_debug(bool) {}

bool has_pmu() {
    return true;
}
void load_pmu(const PmuRegisters&) {}
void stop_pmu() {}

std::uint64_t read_id_register(unsigned, unsigned) {
    return ~std::uint64_t{0};
}

} // namespace arch
} // namespace hyp
