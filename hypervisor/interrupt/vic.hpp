// SPDX-License-Identifier: BSD-3-Clause
// A virtual interrupt controller: the GICv3 that one VM sees (IHI 0069).
//
// One security state (GICD_CTLR.DS = 1), affinity routing always on, no LPIs, no 1-of-N; interrupts
// are in Group 1 until the guest says otherwise. The CPU interface is the hardware's virtual one
// (see vic_cpu.hpp); distributor and redistributors are emulated here.
#pragma once

#include "heap/names.hpp"
#include "interrupt/virq.hpp"
#include "interrupt/virq_source.hpp"
#include "memory/vdevice.hpp"
#include "object/object.hpp"

#include <array>
#include <cstdint>

namespace hyp {

class Distributor;
class Redistributor;
class VicCpu;
class Wakeups;

/// Affinity (MPIDR_EL1 bits 39:32 and 23:0) that an attached vCPU has unless it says otherwise
/// with VicCpu::set_affinity(): 16 per cluster, so that SGI target lists reach all of them.
constexpr std::uint64_t default_affinity(unsigned index) {
    return (index % 16) | (std::uint64_t{index / 16} << 8);
}

/// Lock order: `lock_` is a leaf, except that the physical GIC may be programmed under it.
/// VirqTarget is called only after it is released.
class Vic final : public Object {
public:
    static constexpr ObjectType type = ObjectType::vic;
    static constexpr unsigned vcpus_limit = 64;
    static constexpr std::uint64_t shared_virqs_limit = spi_end - first_spi;

    Vic() : Object(type) {}

    /// Most vCPUs (1..vcpus_limit) and SPIs (0..shared_virqs_limit, rounded up to 32; numbered
    /// from 32). Errors: argument_invalid, object_state (already active).
    Result<> configure(std::uint64_t max_vcpus, std::uint64_t max_shared_virqs)
        RT_EXCLUDES(config_lock);

    /// Attaches a vCPU that is not active yet, until cpu.detach(). Errors: argument_invalid
    /// (index), busy (index taken, or `cpu` attached already), object_state (VIC not active).
    Result<> attach_vcpu(std::uint64_t index, VicCpu& cpu) RT_EXCLUDES(lock_);

    /// The register frames for addrspace_attach_vdevice: 0 is the distributor, 1 + n the
    /// redistributor of attachment index n (RD_base and SGI_base, 128 KiB). nullptr when out of
    /// range or not active. They live as long as the VIC.
    [[nodiscard]] Vdevice* vdevice(std::uint64_t interface);

    /// A trapped write of ICC_SGI1R_EL1, or (`group0`) ICC_SGI0R_EL1, by the vCPU of `from`,
    /// running on this CPU. It reaches those that have the interrupt in that group.
    void send_sgi(VicCpu& from, std::uint64_t value, bool group0 = false) RT_EXCLUDES(lock_);

    [[nodiscard]] unsigned max_vcpus() const { return max_vcpus_; }
    [[nodiscard]] unsigned shared_virqs() const { return shared_count_; }

private:
    friend class VicCpu;
    friend class VirqSource;
    friend class IrqBank;
    friend class Distributor;
    friend class Redistributor;

    ~Vic() override = default;
    Result<> on_activate() override;
    void on_destroy() override;

    // For VicCpu.
    void detach_vcpu(VicCpu& cpu) RT_EXCLUDES(lock_);
    void reroute_hardware() RT_EXCLUDES(lock_);

    // The state machine of one interrupt (virq_state.cpp).
    [[nodiscard]] Virq* find(std::uint32_t intid, unsigned vcpu) RT_REQUIRES(lock_);
    HYP_CALLED_BY_NAME [[nodiscard]] VicCpu* target_of(Virq& irq) RT_REQUIRES(lock_);
    [[nodiscard]] bool forwarded(const Virq& irq) const RT_REQUIRES(lock_) {
        return irq.enabled && (irq.group0 ? group0_enabled_ : group_enabled_);
    }
    /// Moves the interrupt to where its state says it belongs, and notes whom to tell. After any
    /// change of its state, route or enable.
    HYP_CALLED_BY_NAME void update(Virq& irq, Wakeups& wakeups) RT_REQUIRES(lock_);
    void update_all(Wakeups& wakeups) RT_REQUIRES(lock_);
    static void unlink(Virq& irq);
    /// ICPENDR; the latch only, a level source keeps it pending.
    void clear_latch(Virq& irq) RT_REQUIRES(lock_);
    /// ICACTIVER, or an EOI that found no list register.
    void clear_active(Virq& irq) RT_REQUIRES(lock_);

    // The hardware interrupt behind it (hwirq.cpp).
    void attach_hardware(Virq& irq, std::uint32_t physical) RT_REQUIRES(lock_);
    void detach_hardware(Virq& irq) RT_REQUIRES(lock_);
    void finish_detach_hardware(Virq& irq) RT_REQUIRES(lock_);
    void deactivate_hardware(Virq& irq) RT_REQUIRES(lock_);
    void route_hardware(Virq& irq) RT_REQUIRES(lock_);

    mutable Spinlock lock_;
    std::array<VicCpu*, vcpus_limit> cpus_{};          // by attachment index, guarded by lock_
    Virq* shared_ = nullptr;                           // shared_count_ entries, guarded by lock_
    Distributor* distributor_ = nullptr;               // fixed from activation on
    Redistributor* redistributors_ = nullptr;          // max_vcpus_ entries, likewise
    bool group_enabled_ RT_GUARDED_BY(lock_) = false;  // GICD_CTLR.EnableGrp1
    bool group0_enabled_ RT_GUARDED_BY(lock_) = false; // GICD_CTLR.EnableGrp0
    unsigned max_vcpus_ = 0;                           // fixed from activation on, as is the next
    unsigned shared_count_ = 0;
};

} // namespace hyp
