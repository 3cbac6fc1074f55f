// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for the hardware that holds a loaded vCPU: tests see what was loaded and set time.
#pragma once

#include "heap/address.hpp"
#include "vcpu/guest_features.hpp"
#include "vcpu/registers.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace hyp {
class Vcpu;
}

namespace hyp::arch {

struct SystemRegisters {
    std::uint64_t sp_el0, sp_el1, vmpidr;
};

struct TimerRegisters {
    std::uint64_t control, compare;
    [[nodiscard]] bool armed() const { return (control & 3) == 1; }
};

struct DebugRegisters {
    std::uint64_t mdscr;
    std::array<std::uint64_t, 16> dbgbcr, dbgbvr, dbgwcr, dbgwvr;
};

struct PmuRegisters {
    std::uint64_t control;
};

struct GuestState {
    SystemRegisters system;
    TimerRegisters virtual_timer, physical_timer;
    DebugRegisters debug;
    bool debug_in_hardware;
    PmuRegisters pmu;
    bool pmu_in_hardware;
    GuestFeatures features;

    bool vectors_unsaved = false; // as save() left them to flush_vectors() or load()
    bool vectors_open = false;    // by the trap of their first use; what the fake keeps of them

    [[nodiscard]] bool allocate_vectors() { return true; }
    void release_vectors() {}
    void open_vectors() { vectors_open = true; }
    void reset(std::uint64_t vmpidr);
    void save(bool lends = false);
    void flush_vectors();
    void load(std::uint64_t vttbr);
};

void set_running(Vcpu&, GuestRegisters&);
inline unsigned sve_vector_bytes() {
    return 32;
}
void stop_guest_timers();
void unload_guest();

inline constexpr std::uint64_t reset_pstate = 0x3c5;

std::uint64_t counter();
std::uint64_t counter_frequency();
void set_deadline(std::uint64_t deadline);
void clear_deadline();

std::optional<Ipa> translate_guest(VirtAddr va, bool write);
/// Through both stages, to normal memory. Nothing means only that the CPU could not tell. The
/// address space's lock keeps stage 2 as it is.
PhysAddr translate_guest_fully(VirtAddr va, bool write);

struct ExitSyndrome {
    std::uint64_t esr, far, hpfar;
};
ExitSyndrome read_syndrome();
inline std::uint64_t read_far() {
    return read_syndrome().far;
}
inline std::uint64_t read_hpfar() {
    return read_syndrome().hpfar;
}

/// Calls the test's hook: an idle CPU waits for what the test makes happen next.
void wait_for_interrupt();

} // namespace hyp::arch

namespace hyp::fake {

/// What the fake hardware of the calling CPU holds.
struct GuestHardware {
    const arch::GuestState* loaded = nullptr;
    std::uint64_t vttbr = 0;
    std::uint64_t counter = 0; // 1 GHz
    std::uint64_t deadline = ~std::uint64_t{0};
    GuestRegisters* registers = nullptr;
    void (*on_idle)() = nullptr;
    arch::ExitSyndrome syndrome{};
    bool translation_faults = false; // stage 1 is otherwise the identity
};
GuestHardware& guest_hardware();

} // namespace hyp::fake
