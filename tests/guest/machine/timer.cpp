// SPDX-License-Identifier: BSD-3-Clause
// CNTV_* and CNTP_*; the virtual offset is 0 in a VM of ours, and on a bare machine.
#include "machine/timer.hpp"

#include "machine/board.hpp"
#include "machine/sysreg.hpp"

namespace test {

namespace {

class VirtualTimer final : public Timer {
public:
    void start_at(std::uint64_t counter) override {
        WRITE_SYSREG(cntv_cval_el0, counter);
        WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{1});
        isb();
    }
    void stop() override {
        WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{0});
        isb();
    }
    [[nodiscard]] std::uint64_t control() const override { return READ_SYSREG(cntv_ctl_el0); }
    [[nodiscard]] std::uint64_t compare() const override { return READ_SYSREG(cntv_cval_el0); }
    [[nodiscard]] std::uint32_t intid() const override { return board().virtual_timer_irq; }
};

class PhysicalTimer final : public Timer {
public:
    void start_at(std::uint64_t counter) override {
        WRITE_SYSREG(cntp_cval_el0, counter);
        WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{1});
        isb();
    }
    void stop() override {
        WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{0});
        isb();
    }
    [[nodiscard]] std::uint64_t control() const override { return READ_SYSREG(cntp_ctl_el0); }
    [[nodiscard]] std::uint64_t compare() const override { return READ_SYSREG(cntp_cval_el0); }
    [[nodiscard]] std::uint32_t intid() const override { return board().physical_timer_irq; }
};

constinit VirtualTimer the_virtual_timer;
constinit PhysicalTimer the_physical_timer;

} // namespace

Timer& virtual_timer() {
    return the_virtual_timer;
}

Timer& physical_timer() {
    return the_physical_timer;
}

} // namespace test
