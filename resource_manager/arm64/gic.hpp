// SPDX-License-Identifier: BSD-3-Clause
// RM's driver for its own (virtual) GICv3: polled, edge-triggered SPIs only.
#pragma once

#include "vm/guest_objects.hpp"

namespace rm {

/// RM never takes an interrupt exception. It sleeps in WFI, which a pending interrupt ends even
/// when masked, and then acknowledges what there is.
class Gic final : public LocalInterrupts {
public:
    /// Maps the registers and turns everything on; panics when the hypervisor refuses. Fills
    /// `virqs` with the SPIs that the distributor has.
    Gic(const Root& root, VirqAllocator& virqs);

    void enable(std::uint32_t intid) override;
    void disable(std::uint32_t intid) override;

    /// The next pending interrupt, ended at once so that it can come again; none: nothing.
    std::optional<std::uint32_t> acknowledge();
    /// Sleeps until an interrupt is pending.
    static void wait();
};

} // namespace rm
