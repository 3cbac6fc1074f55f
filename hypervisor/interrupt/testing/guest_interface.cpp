// SPDX-License-Identifier: BSD-3-Clause
// The virtual CPU interface as a guest drives it, for host tests (five preemption bits).
#include "interrupt/testing/guest_interface.hpp"

#include "interrupt/list_register.hpp"

#include <bit>

namespace hyp::fake {
namespace {

constexpr std::uint32_t spurious = 1023;
constexpr unsigned idle_priority = 0x100;

std::uint32_t intid_of(std::uint64_t lr) {
    return static_cast<std::uint32_t>(lr);
}
unsigned priority_of(std::uint64_t lr) {
    return static_cast<unsigned>(lr >> ich::lr_priority_shift & 0xff);
}
bool valid(std::uint64_t lr) {
    return (lr & (ich::lr_pending | ich::lr_active)) != 0;
}

} // namespace

void GuestInterface::start(std::uint8_t pmr, bool split_eoi) {
    registers().vmcr = ich::vmcr_group1 | std::uint64_t{pmr} << ich::vmcr_pmr_shift |
                       (split_eoi ? ich::vmcr_eoim : 0) | 3ull << ich::vmcr_bpr1_shift;
}

void GuestInterface::set_pmr(std::uint8_t pmr) {
    auto& vmcr = registers().vmcr;
    vmcr = (vmcr & ~(0xffull << ich::vmcr_pmr_shift)) | std::uint64_t{pmr} << ich::vmcr_pmr_shift;
}

void GuestInterface::set_bpr1(unsigned point) {
    auto& vmcr = registers().vmcr;
    vmcr = (vmcr & ~(ich::vmcr_bpr_mask << ich::vmcr_bpr1_shift)) | std::uint64_t{point}
                                                                        << ich::vmcr_bpr1_shift;
}

unsigned GuestInterface::running_priority() const {
    const auto active = static_cast<std::uint32_t>(registers().ap1r[0]);
    return active == 0 ? idle_priority : static_cast<unsigned>(std::countr_zero(active)) << 3;
}

int GuestInterface::best() const {
    const GicCpu& cpu = registers();
    if ((cpu.hcr & ich::hcr_enable) == 0 || (cpu.vmcr & ich::vmcr_group1) == 0) {
        return -1;
    }
    int found = -1;
    unsigned found_priority = cpu.vmcr >> ich::vmcr_pmr_shift & 0xff;
    const unsigned point = cpu.vmcr >> ich::vmcr_bpr1_shift & ich::vmcr_bpr_mask;
    for (unsigned n = 0; n < cpu.lr.size(); n++) {
        const std::uint64_t lr = cpu.lr[n];
        const bool pending_only = (lr & (ich::lr_pending | ich::lr_active)) == ich::lr_pending;
        if (pending_only && (lr & ich::lr_group1) != 0 && priority_of(lr) < found_priority) {
            found = static_cast<int>(n);
            found_priority = priority_of(lr);
        }
    }
    return (found_priority & ~0u << point) < running_priority() ? found : -1;
}

std::uint32_t GuestInterface::acknowledge() {
    const int n = best();
    if (n < 0) {
        return spurious;
    }
    GicCpu& cpu = registers();
    std::uint64_t& lr = cpu.lr[static_cast<unsigned>(n)];
    lr = (lr & ~ich::lr_pending) | ich::lr_active;
    const unsigned point = cpu.vmcr >> ich::vmcr_bpr1_shift & ich::vmcr_bpr_mask;
    cpu.ap1r[0] |= 1ull << ((priority_of(lr) & ~0u << point) >> 3);
    return intid_of(lr);
}

bool GuestInterface::deactivate_register(std::uint32_t intid) {
    for (std::uint64_t& lr : registers().lr) {
        if (intid_of(lr) == intid && (lr & ich::lr_active) != 0) {
            lr &= ~ich::lr_active;
            if ((lr & ich::lr_hardware) != 0 && machine_ != nullptr) {
                machine_->deactivate(
                    cpu_, static_cast<std::uint32_t>(lr >> ich::lr_physical_shift) & 0x1fff);
            }
            return true;
        }
    }
    return false;
}

void GuestInterface::end(std::uint32_t intid) {
    GicCpu& cpu = registers();
    cpu.ap1r[0] &= cpu.ap1r[0] - 1;
    if ((cpu.vmcr & ich::vmcr_eoim) == 0 && !deactivate_register(intid)) {
        cpu.hcr += 1ull << ich::hcr_eoi_count_shift;
    }
}

void GuestInterface::deactivate(std::uint32_t intid) {
    deactivate_register(intid);
}

std::vector<std::uint32_t> GuestInterface::handle_all() {
    std::vector<std::uint32_t> handled;
    for (std::uint32_t intid = acknowledge(); intid != spurious; intid = acknowledge()) {
        handled.push_back(intid);
        end(intid);
    }
    return handled;
}

bool GuestInterface::maintenance() const {
    const GicCpu& cpu = registers();
    bool some_pending = false;
    bool eoi = false;
    for (const std::uint64_t lr : cpu.lr) {
        some_pending = some_pending || (lr & (ich::lr_pending | ich::lr_active)) == ich::lr_pending;
        eoi = eoi || (!valid(lr) && (lr & ich::lr_hardware) == 0 && (lr & ich::lr_eoi) != 0);
    }
    const bool counted = (cpu.hcr >> ich::hcr_eoi_count_shift & ich::hcr_eoi_count_mask) != 0;
    return (cpu.hcr & ich::hcr_enable) != 0 &&
           (eoi || ((cpu.hcr & ich::hcr_npie) != 0 && !some_pending) ||
            ((cpu.hcr & ich::hcr_lrenpie) != 0 && counted));
}

std::vector<std::uint64_t> GuestInterface::list_registers() const {
    std::vector<std::uint64_t> held;
    for (const std::uint64_t lr : registers().lr) {
        if (valid(lr)) {
            held.push_back(lr);
        }
    }
    return held;
}

bool GuestInterface::holds(std::uint32_t intid) const {
    for (const std::uint64_t lr : list_registers()) {
        if (intid_of(lr) == intid) {
            return true;
        }
    }
    return false;
}

} // namespace hyp::fake
