// SPDX-License-Identifier: BSD-3-Clause
// A hardware interrupt line (SPI) as an object that can be bound to a virtual interrupt.
#pragma once

#include "interrupt/virq_source.hpp"
#include "object/object.hpp"

#include <atomic>
#include <cstdint>

namespace hyp {

/// Made at boot, one per SPI that VMs may have, and never destroyed. While bound, the guest's
/// writes of enable, trigger and route go to the physical distributor too; priority does not, EL2
/// takes every interrupt at once. The guest's EOI deactivates the physical interrupt without an
/// exit.
class HwIrq final : public Object {
public:
    static constexpr ObjectType type = ObjectType::hwirq;

    /// `intid`: 32..1019, physical, at most one object each.
    explicit HwIrq(std::uint32_t intid);

    /// As VirqSource::bind(). The physical interrupt takes over enable, trigger and target from the
    /// virtual one. Also busy: the guest's last handling of an earlier binding is not over.
    Result<> bind(Vic& vic, VirqInfo info);
    /// The physical interrupt is disabled, no longer pending nor active.
    void unbind() { source_.unbind(); }

    /// Physical interrupt `intid` was acknowledged and priority-dropped on this CPU. True: it was
    /// handed to a VM. False: nobody has it; the caller disables and deactivates it.
    [[nodiscard]] static bool deliver(std::uint32_t intid);

    /// For the VIC: an unbound interrupt is still in a list register of a vCPU that runs.
    static void set_draining(std::uint32_t intid, bool draining);

private:
    ~HwIrq() override = default;

    VirqSource source_;
    std::atomic<bool> draining_{false};
};

} // namespace hyp
