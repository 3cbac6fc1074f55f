// SPDX-License-Identifier: BSD-3-Clause
// A virtual interrupt controller: the GICv3 that one VM sees (IHI 0069).
//
// One security state (GICD_CTLR.DS = 1), Group 1 only, affinity routing always on, no LPIs, no
// 1-of-N. The CPU interface is the hardware's virtual one (see vic_cpu.hpp); distributor and
// redistributors are emulated here.
#pragma once

#include "interrupt/virq.hpp"
#include "interrupt/virq_source.hpp"
#include "memory/vdevice.hpp"
#include "object/object.hpp"

#include <runtime/result.hpp>
#include <runtime/spinlock.hpp>

#include <cstdint>

namespace hyp {

class VicCpu;
class VirqTarget;
class Wakeups;

/// Affinity (MPIDR_EL1 bits 39:32 and 23:0 of the vCPU) that belongs to an attachment index: 16
/// per cluster, so that SGI target lists reach all without range selector.
constexpr std::uint64_t vcpu_affinity(unsigned index) {
    return (index % 16) | (std::uint64_t{index / 16} << 8);
}

/// Lock order: `lock_` is a leaf, except that the physical GIC may be programmed under it.
/// VirqTarget is called only after it is released.
class Vic final : public Object {
  public:
    static constexpr ObjectType type = ObjectType::vic;
    static constexpr unsigned vcpus_limit = 64;
    static constexpr std::uint64_t shared_virqs_limit = spi_end - first_spi;
    static constexpr std::uint64_t distributor_size = 0x10000;
    static constexpr std::uint64_t redistributor_size = 0x20000;

    Vic() : Object(type) {}

    /// Most vCPUs (1..vcpus_limit) and SPIs (0..shared_virqs_limit, rounded up to 32; numbered
    /// from 32). Errors: argument_invalid, object_state (already active).
    rt::Result<> configure(std::uint64_t max_vcpus, std::uint64_t max_shared_virqs)
        RT_EXCLUDES(config_lock);

    /// Gives the vCPU behind `target` the private interrupts and CPU interface `cpu`, until
    /// cpu.detach(). The caller made sure that the vCPU is not active. Errors: argument_invalid
    /// (index), busy (index taken, or `cpu` attached already), object_state (VIC not active).
    rt::Result<> attach_vcpu(std::uint64_t index, VicCpu& cpu, VirqTarget& target)
        RT_EXCLUDES(lock_);

    /// The register frames for addrspace_attach_vdevice: 0 is the distributor, 1 + n the
    /// redistributor of attachment index n (RD_base and SGI_base, 128 KiB). nullptr when out of
    /// range or not active. They live as long as the VIC.
    [[nodiscard]] Vdevice* vdevice(std::uint64_t interface);

    /// A trapped write of ICC_SGI1R_EL1 by the vCPU of `from`, running on this CPU. (Writes of
    /// ICC_SGI0R_EL1 and ICC_ASGI1R_EL1 name Group 0 interrupts, of which there are none: ignore.)
    void send_sgi(VicCpu& from, std::uint64_t value) RT_EXCLUDES(lock_);

    [[nodiscard]] unsigned max_vcpus() const { return max_vcpus_; }
    [[nodiscard]] unsigned shared_virqs() const { return shared_count_; }

  private:
    friend class VicCpu;
    friend class VirqSource;
    friend class IrqBank;
    friend class Distributor;
    friend class Redistributor;

    struct Frames;

    ~Vic() override = default;
    rt::Result<> on_activate() override;
    void on_destroy() override;

    // For VirqSource, under its lock.
    rt::Result<> bind(VirqSource& source, VirqInfo info, bool level, Wakeups& wakeups)
        RT_EXCLUDES(lock_);
    void unbind(VirqSource& source, Wakeups& wakeups) RT_EXCLUDES(lock_);
    void raise_edge(VirqSource& source, Wakeups& wakeups) RT_EXCLUDES(lock_);
    void change_level(VirqSource& source, bool level, Wakeups& wakeups) RT_EXCLUDES(lock_);

    // For VicCpu.
    void detach_vcpu(VicCpu& cpu) RT_EXCLUDES(lock_);
    void reroute_hardware(VicCpu& cpu) RT_EXCLUDES(lock_);

    // State machine.
    [[nodiscard]] Virq* find(std::uint32_t intid, unsigned vcpu) RT_REQUIRES(lock_);
    [[nodiscard]] VicCpu* target_of(const Virq& irq) const RT_REQUIRES(lock_);
    [[nodiscard]] bool deliverable(const Virq& irq) const RT_REQUIRES(lock_) {
        return irq.enabled && group_enabled_ && irq.pending();
    }
    /// Moves the interrupt to where its state says it belongs, and notes whom to tell.
    void update(Virq& irq, Wakeups& wakeups) RT_REQUIRES(lock_);
    void unlink(Virq& irq) RT_REQUIRES(lock_);
    void set_group_enabled(bool enabled, Wakeups& wakeups) RT_REQUIRES(lock_);
    void route_hardware(const Virq& irq) RT_REQUIRES(lock_);

    mutable rt::Spinlock lock_;
    VicCpu** cpus_ = nullptr;    // max_vcpus_ entries, guarded by lock_
    Virq* shared_ = nullptr;     // shared_count_ entries, guarded by lock_
    Frames* frames_ = nullptr;   // fixed from activation on
    bool group_enabled_ RT_GUARDED_BY(lock_) = false;  // GICD_CTLR.EnableGrp1
    bool group0_enabled_ RT_GUARDED_BY(lock_) = false; // GICD_CTLR.EnableGrp0: kept, no effect
    unsigned max_vcpus_ = 0;     // fixed from activation on, as is the next
    unsigned shared_count_ = 0;
};

} // namespace hyp
