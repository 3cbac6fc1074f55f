// SPDX-License-Identifier: BSD-3-Clause
// Binding and asserting one input of a virtual interrupt controller.
#include "interrupt/virq_source.hpp"

#include "interrupt/vic.hpp"
#include "interrupt/wakeups.hpp"

#include <abi/hypercall.h>

#include <utility>

namespace hyp {

Result<VirqInfo> VirqInfo::decode(std::uint64_t raw) {
    RT_FAIL_IF(raw >> 32 != 0, Error::argument_invalid);
    return VirqInfo{static_cast<std::uint32_t>(raw & GH_VIRQ_INFO_NUMBER_MASK),
                    static_cast<std::uint32_t>(raw >> GH_VIRQ_INFO_VCPU_SHIFT)};
}

Result<> VirqSource::bind(Vic& vic, VirqInfo info) {
    Wakeups wakeups;
    const LockGuard guard(lock_);
    RT_FAIL_IF(vic_, Error::virq_bound);
    RT_FAIL_IF(!vic.is_active(), Error::object_state);
    const bool shared = info.number >= first_spi;
    RT_FAIL_IF(info.number < first_ppi || (shared ? info.vcpu != 0 : physical_ != 0),
               Error::argument_invalid);
    const LockGuard vic_guard(vic.lock_);
    Virq* irq = vic.find(info.number, info.vcpu);
    RT_FAIL_IF(irq == nullptr, Error::argument_invalid);
    RT_FAIL_IF(irq->source != nullptr || irq->physical != 0, Error::busy);
    vic_ = Ref<Vic>(vic);
    irq_ = irq;
    irq->source = this;
    irq->set_line(level_);
    if (physical_ != 0) {
        vic.attach_hardware(*irq, physical_);
    }
    vic.update(*irq, wakeups);
    return {};
}

void VirqSource::unbind() {
    Ref<Vic> vic; // the last reference may go here: after the locks
    Wakeups wakeups;
    const LockGuard guard(lock_);
    if (!vic_) {
        return;
    }
    vic = std::move(vic_);
    const LockGuard vic_guard(vic->lock_);
    if (Virq* irq = std::exchange(irq_, nullptr)) {
        irq->source = nullptr;
        irq->line = false;
        vic->clear_latch(*irq);
        if (physical_ != 0) {
            vic->detach_hardware(*irq);
        }
        vic->update(*irq, wakeups);
    }
}

bool VirqSource::bound() const {
    const LockGuard guard(lock_);
    return static_cast<bool>(vic_);
}

bool VirqSource::bound_to(const Vic* vic) const {
    const LockGuard guard(lock_);
    return vic != nullptr && vic_.get() == vic;
}

bool VirqSource::assert_edge() {
    Wakeups wakeups;
    const LockGuard guard(lock_);
    if (!vic_) {
        return false;
    }
    const LockGuard vic_guard(vic_->lock_);
    if (irq_ == nullptr) {
        return false;
    }
    irq_->latch = true;
    vic_->update(*irq_, wakeups);
    return true;
}

void VirqSource::set_level(bool level) {
    Wakeups wakeups;
    const LockGuard guard(lock_);
    if (level_ == level) {
        return;
    }
    level_ = level;
    if (!vic_) {
        return;
    }
    const LockGuard vic_guard(vic_->lock_);
    if (irq_ != nullptr) {
        irq_->set_line(level);
        vic_->update(*irq_, wakeups);
    }
}

} // namespace hyp
