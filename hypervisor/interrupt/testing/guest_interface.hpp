// SPDX-License-Identifier: BSD-3-Clause
// For host tests: what the hardware does when a guest uses its virtual CPU interface, on the fake
// ICH registers of one CPU (IHI 0069, sections 6.2 and 12.3).
#pragma once

#include "interrupt/testing/machine_gic.hpp"

#include <arch/gic.hpp>

#include <cstdint>
#include <vector>

namespace hyp::fake {

/// The guest that runs on pretended CPU `cpu`.
class GuestInterface {
public:
    /// Deactivation of a hardware interrupt goes to `machine`, if there is one.
    explicit GuestInterface(unsigned cpu, MachineGic* machine = nullptr)
        : cpu_(cpu), machine_(machine) {}

    /// What a kernel writes at start: PMR, group enable, EOImode.
    void start(std::uint8_t pmr = 0xf0, bool split_eoi = false);
    void set_pmr(std::uint8_t pmr);
    void set_bpr1(unsigned point);

    /// True if an interrupt is signalled to the vCPU.
    [[nodiscard]] bool signalled() const { return best() >= 0; }
    /// ICC_IAR1_EL1: its INTID, now active, or 1023.
    std::uint32_t acknowledge();
    /// ICC_EOIR1_EL1.
    void end(std::uint32_t intid);
    /// ICC_DIR_EL1 (not trapped).
    void deactivate(std::uint32_t intid);
    /// Acknowledges and ends everything that is signalled, in that order.
    std::vector<std::uint32_t> handle_all();

    /// True if the maintenance interrupt is asserted.
    [[nodiscard]] bool maintenance() const;
    /// Contents of the list registers that hold something.
    [[nodiscard]] std::vector<std::uint64_t> list_registers() const;
    [[nodiscard]] bool holds(std::uint32_t intid) const;

private:
    [[nodiscard]] GicCpu& registers() const { return gic_cpu(cpu_); }
    [[nodiscard]] int best() const;
    [[nodiscard]] unsigned running_priority() const;
    bool deactivate_register(std::uint32_t intid);

    unsigned cpu_;
    MachineGic* machine_;
};

} // namespace hyp::fake
