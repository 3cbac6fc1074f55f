// SPDX-License-Identifier: BSD-3-Clause
// Binding and asserting one input of a virtual interrupt controller.
#include "interrupt/virq_source.hpp"

#include "interrupt/vic.hpp"
#include "interrupt/wakeups.hpp"

#include <abi/hypercall.h>

#include <utility>

namespace hyp {

Result<VirqInfo> VirqInfo::decode(std::uint64_t raw) {
    if (raw >> 32 != 0) {
        return fail(Error::argument_invalid);
    }
    return VirqInfo{static_cast<std::uint32_t>(raw & GH_VIRQ_INFO_NUMBER_MASK),
                    static_cast<std::uint32_t>(raw >> GH_VIRQ_INFO_VCPU_SHIFT)};
}

Result<> VirqSource::bind(Vic& vic, VirqInfo info) {
    Wakeups wakeups;
    const LockGuard guard(lock_);
    if (vic_) {
        return fail(Error::virq_bound);
    }
    auto result = vic.bind(*this, info, level_, wakeups);
    if (result) {
        vic_ = Ref<Vic>(vic);
    }
    return result;
}

void VirqSource::unbind() {
    Ref<Vic> vic; // the last reference may go here: after the lock
    Wakeups wakeups;
    const LockGuard guard(lock_);
    if (vic_) {
        vic_->unbind(*this, wakeups);
        vic = std::move(vic_);
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

bool VirqSource::raise() {
    Wakeups wakeups;
    const LockGuard guard(lock_);
    return vic_ && vic_->raise_edge(*this, wakeups);
}

void VirqSource::assert_edge() {
    raise();
}

void VirqSource::set_level(bool level) {
    Wakeups wakeups;
    const LockGuard guard(lock_);
    if (level_ == level) {
        return;
    }
    level_ = level;
    if (vic_) {
        vic_->change_level(*this, level, wakeups);
    }
}

} // namespace hyp
