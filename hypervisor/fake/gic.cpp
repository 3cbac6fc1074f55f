// SPDX-License-Identifier: BSD-3-Clause
// The fake GIC system registers of all pretended CPUs.
#include <arch/gic.hpp>

#include <cstdlib>

namespace hyp {
namespace {

struct Fake {
    std::array<fake::GicCpu, max_cpus> cpus{};
    unsigned list_registers = 4;
    unsigned preemption_bits = 5;
};

Fake& state() {
    static Fake all;
    return all;
}

fake::GicCpu& here() {
    return state().cpus[cpu_index()];
}

/// An access to a register that this CPU does not have is undefined in hardware.
unsigned checked(unsigned n, unsigned limit) {
    if (n >= limit) {
        std::abort();
    }
    return n;
}

unsigned active_priority_registers() {
    return 1u << (state().preemption_bits - 5);
}

} // namespace

fake::GicCpu& fake::gic_cpu(unsigned index) {
    return state().cpus[index];
}

void fake::reset_gic(unsigned list_registers, unsigned preemption_bits) {
    state() = Fake{};
    state().list_registers = list_registers;
    state().preemption_bits = preemption_bits;
}

namespace arch {

std::uint64_t icc_read_iar1() {
    auto& pending = here().pending;
    if (pending.empty()) {
        return 1023;
    }
    const std::uint64_t intid = pending.front();
    pending.pop_front();
    return intid;
}
void icc_write_eoir1(std::uint64_t intid) {
    here().dropped.push_back(intid);
}
void icc_write_dir(std::uint64_t intid) {
    here().deactivated.push_back(intid);
}
void icc_write_sgi1r(std::uint64_t value) {
    here().sgi1r.push_back(value);
}
bool icc_enable_system_registers() {
    here().system_registers = true;
    return true;
}
void icc_write_ctlr(std::uint64_t value) {
    here().ctlr = value;
}
void icc_write_pmr(std::uint64_t value) {
    here().pmr = value;
}
void icc_write_bpr1(std::uint64_t value) {
    here().bpr1 = value;
}
void icc_write_igrpen1(std::uint64_t value) {
    here().igrpen1 = value;
}

std::uint64_t ich_read_vtr() {
    // PRIbits, PREbits (one less than the number each), TDS, ListRegs (one less).
    const std::uint64_t bits = state().preemption_bits - 1;
    return bits << 29 | bits << 26 | std::uint64_t{1} << 19 | (state().list_registers - 1);
}
std::uint64_t ich_read_hcr() {
    return here().hcr;
}
void ich_write_hcr(std::uint64_t value) {
    here().hcr = value;
}
std::uint64_t ich_read_vmcr() {
    return here().vmcr;
}
void ich_write_vmcr(std::uint64_t value) {
    here().vmcr = value;
}
std::uint64_t ich_read_elrsr() {
    constexpr std::uint64_t pending_or_active = std::uint64_t{3} << 62;
    constexpr std::uint64_t hardware = std::uint64_t{1} << 61;
    constexpr std::uint64_t eoi = std::uint64_t{1} << 41;
    std::uint64_t empty = 0;
    for (unsigned n = 0; n < hyp::state().list_registers; n++) {
        const std::uint64_t lr = here().lr[n];
        const bool ended =
            (lr & pending_or_active) == 0 && ((lr & hardware) != 0 || (lr & eoi) == 0);
        empty |= std::uint64_t{ended} << n;
    }
    return empty;
}
std::uint64_t ich_read_lr(unsigned n) {
    here().lr_reads++;
    return here().lr[checked(n, state().list_registers)];
}
void ich_write_lr(unsigned n, std::uint64_t value) {
    here().lr_writes++;
    here().lr[checked(n, state().list_registers)] = value;
}
std::uint64_t ich_read_ap0r(unsigned n) {
    return here().ap0r[checked(n, active_priority_registers())];
}
void ich_write_ap0r(unsigned n, std::uint64_t value) {
    here().ap0r[checked(n, active_priority_registers())] = value;
}
std::uint64_t ich_read_ap1r(unsigned n) {
    return here().ap1r[checked(n, active_priority_registers())];
}
void ich_write_ap1r(unsigned n, std::uint64_t value) {
    here().ap1r[checked(n, active_priority_registers())] = value;
}

} // namespace arch
} // namespace hyp
