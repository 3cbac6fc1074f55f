// SPDX-License-Identifier: BSD-3-Clause
// What the virtual interrupt controller asks of a vCPU; implemented above, owned here.
#pragma once

namespace hyp {

class VirqTarget {
public:
    /// An interrupt for this vCPU became pending or changed from outside the vCPU's own context:
    /// wake it, or make the CPU that runs it leave the guest. Called on any CPU, with no lock of
    /// this layer held, after the change is visible (so that a vCPU that marks itself as waiting
    /// and then finds VicCpu::has_deliverable() false cannot miss it). It may be called without
    /// need; a vCPU whose guest code this CPU will enter next anyway needs nothing. Must not drop
    /// the last reference to a vCPU.
    virtual void virq_pending() = 0;

    /// Index of the physical CPU to which hardware interrupts of this vCPU should go.
    /// A number that is no CPU means: anywhere. Called under the VIC's lock: a plain load.
    [[nodiscard]] virtual unsigned physical_cpu() const = 0;

protected:
    ~VirqTarget() = default;
};

} // namespace hyp
