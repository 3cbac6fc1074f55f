// SPDX-License-Identifier: BSD-3-Clause
// One input line of a virtual interrupt controller: the end that a doorbell, a message queue, a
// vCPU or a hardware interrupt holds.
#pragma once

#include "heap/names.hpp"
#include "object/ref.hpp"

#include <cstdint>

namespace hyp {

class Vic;
class Virq;
class Wakeups;

/// Which interrupt of a VIC: the "Virtual IRQ info" argument of the bind hypercalls.
struct VirqInfo {
    std::uint32_t number; // 16..31 private to `vcpu`, 32.. shared
    std::uint32_t vcpu;   // attachment index; zero for shared numbers

    /// Bits 23:0 number, 31:24 vCPU, rest zero. Errors: argument_invalid.
    static Result<VirqInfo> decode(std::uint64_t raw);
};

/// Embedded by value in its owner. Any CPU may call; the owner makes sure that the source is not
/// destroyed while in use. Calls VirqTarget::virq_pending(), so the caller holds no lock that this
/// would need. Lock order: source, then VIC.
class VirqSource {
public:
    VirqSource() = default;
    /// A source that is the physical interrupt `physical_intid`: see HwIrq.
    explicit VirqSource(std::uint32_t physical_intid) : physical_(physical_intid) {}
    VirqSource(const VirqSource&) = delete;
    VirqSource& operator=(const VirqSource&) = delete;
    ~VirqSource() { unbind(); }

    /// Errors: virq_bound (this source is bound already), busy (that interrupt has a source),
    /// argument_invalid (no such interrupt, an SGI, or a private one of an absent vCPU),
    /// object_state (the VIC is not active). Keeps a reference to the VIC.
    Result<> bind(Vic& vic, VirqInfo info) RT_EXCLUDES(lock_);
    /// The interrupt stops pending on behalf of this source; if the guest is handling it, it stays
    /// active. Does nothing when not bound. May drop the last reference to the VIC.
    void unbind() RT_EXCLUDES(lock_);
    [[nodiscard]] bool bound() const RT_EXCLUDES(lock_);
    [[nodiscard]] bool bound_to(const Vic*) const RT_EXCLUDES(lock_);

    /// One event: the interrupt is delivered once more, whatever trigger the guest configured.
    /// False if there is no interrupt at the other end.
    bool assert_edge() RT_EXCLUDES(lock_);
    /// The level of the line. While it is true a level-triggered interrupt stays pending; for an
    /// edge-triggered one a change from false to true is one event. Remembered while not bound.
    void set_level(bool level) RT_EXCLUDES(lock_);

private:
    friend class VicCpu;

    mutable Spinlock lock_;
    Ref<Vic> vic_ RT_GUARDED_BY(lock_);
    bool level_ RT_GUARDED_BY(lock_) = false;
    Virq* irq_ = nullptr; // guarded by the VIC's lock; nullptr also when its vCPU went away
    const std::uint32_t physical_ = 0;
};

} // namespace hyp
