// SPDX-License-Identifier: BSD-3-Clause
// The count of a watchdog and what happens when it runs out.
#include "vcpu/watchdog.hpp"

#include "platform/console.hpp"
#include "platform/firmware.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <arch/guest_state.hpp>

#include <limits>

namespace hyp {

namespace {

std::uint64_t ticks_of_ms(std::uint64_t milliseconds) {
    return milliseconds * arch::counter_frequency() / 1000;
}

} // namespace

Result<> Watchdog::configure(std::uint64_t option_flags) {
    const LockGuard guard(config_lock);
    constexpr std::uint64_t known = GH_WATCHDOG_OPTION_CRITICAL_BITE;
    RT_FAIL_IF(is_active(), Error::object_state);
    RT_FAIL_IF((option_flags & ~known) != 0, Error::argument_invalid);
    critical_ = option_flags != 0;
    return {};
}

void Watchdog::on_destroy() {
    bark_timer_.cancel();
    bite_timer_.cancel();
    bark_virq_.unbind();
    bite_virq_.unbind();
}

void Watchdog::attach(Vcpu& vcpu) {
    const LockGuard guard(members_lock_);
    members_.push_back(vcpu);
}

void Watchdog::detach(Vcpu& vcpu) {
    const LockGuard guard(members_lock_);
    rt::IntrusiveList<Vcpu, WatchdogTag>::remove(vcpu);
}

std::uint64_t Watchdog::count() const {
    return counting() ? arch::counter() - base_ : kept_;
}

/// No callback runs from here on until go_on().
void Watchdog::halt_count() {
    bark_timer_.cancel();
    bite_timer_.cancel();
    kept_ = count();
}

/// The count is `from` ticks now. What it has passed already does not happen again.
void Watchdog::go_on(std::uint64_t from) {
    kept_ = from;
    if (!counting() || bitten_) {
        return;
    }
    base_ = arch::counter() - from;
    if (from < ticks_of_ms(bark_ms_)) {
        bark_timer_.arm(SoftTimerQueue::mine(), base_ + ticks_of_ms(bark_ms_));
    }
    bite_timer_.arm(SoftTimerQueue::mine(), base_ + ticks_of_ms(bite_ms_));
}

void Watchdog::enable(bool on) {
    const LockGuard guard(lock_);
    halt_count();
    const bool starts = on && !enabled_;
    enabled_ = on;
    go_on(starts ? 0 : kept_);
}

void Watchdog::ping() {
    const LockGuard guard(lock_);
    halt_count();
    go_on(0);
}

Result<> Watchdog::set_times(std::uint64_t bark, std::uint64_t bite) {
    RT_FAIL_IF(bite == 0 || bite > max_milliseconds || bark > bite, Error::argument_invalid);
    const LockGuard guard(lock_);
    halt_count();
    bark_ms_ = bark == 0 ? bite : bark;
    bite_ms_ = bite;
    go_on(0);
    return {};
}

Watchdog::Status Watchdog::status() {
    const LockGuard guard(lock_);
    return {enabled_, count() * 1000 / arch::counter_frequency()};
}

Result<> Watchdog::manage(std::uint64_t operation) {
    const LockGuard guard(lock_);
    const bool unfreezes = operation == GH_WATCHDOG_MANAGE_UNFREEZE;
    RT_FAIL_IF(operation > GH_WATCHDOG_MANAGE_UNFREEZE, Error::argument_invalid);
    RT_FAIL_IF(freezes_ == (unfreezes ? 0 : std::numeric_limits<std::uint32_t>::max()),
               Error::busy);
    halt_count();
    freezes_ += unfreezes ? -1U : 1U;
    go_on(operation == GH_WATCHDOG_MANAGE_FREEZE_AND_RESET ? 0 : kept_);
    return {};
}

void Watchdog::on_bark(void* watchdog) {
    static_cast<Watchdog*>(watchdog)->bark_virq_.assert_edge();
}

void Watchdog::on_bite(void* watchdog) {
    auto& self = *static_cast<Watchdog*>(watchdog);
    self.bitten_ = true;
    if (self.critical_) {
        log("a critical watchdog bites: the machine is reset");
        firmware_system_reset();
    }
    self.bite_virq_.assert_edge();
    self.end_members();
}

/// A vCPU that is on its way to destruction waits in detach() for this to end.
void Watchdog::end_members() {
    const LockGuard guard(members_lock_);
    for (Vcpu& vcpu : members_) {
        vcpu.stop(VcpuState::faulted, {GH_VCPU_STATE_FAULT, {GH_VCPU_FAULT_WATCHDOG_BITE}});
    }
}

} // namespace hyp
