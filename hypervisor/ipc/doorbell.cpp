// SPDX-License-Identifier: BSD-3-Clause
// Doorbell flags and the interrupt they drive.
#include "ipc/doorbell.hpp"

#include "interrupt/vic.hpp"

namespace hyp {

namespace {
constexpr std::uint64_t all_flags = ~std::uint64_t{0};
}

Result<> Doorbell::bind(Vic& vic, VirqInfo info) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    const LockGuard guard(lock_);
    auto bound = source_.bind(vic, info); // a line that is high interrupts at once
    if (bound && (flags_ & enable_mask_) != 0) {
        acknowledge();
    }
    return bound;
}

void Doorbell::unbind() {
    source_.unbind();
}

/// Without an interrupt nothing is acknowledged: the flags wait for a receive.
void Doorbell::acknowledge() {
    flags_ &= ~ack_mask_;
    source_.set_level((flags_ & enable_mask_) != 0);
}

Result<std::uint64_t> Doorbell::send(std::uint64_t new_flags) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    const LockGuard guard(lock_);
    const std::uint64_t old_flags = flags_;
    const bool line_was_high = (old_flags & enable_mask_) != 0;
    flags_ |= new_flags;
    if ((flags_ & enable_mask_) == 0) {
        return old_flags;
    }
    const bool rises = !line_was_high && (flags_ & enable_mask_ & ~ack_mask_) != 0;
    if (!source_.bound()) {
        source_.set_level(true);
        return old_flags;
    }
    if (!rises) {
        // A level that stays as it was tells nobody; every send is one event of its own.
        source_.assert_edge();
    }
    acknowledge();
    return old_flags;
}

Result<std::uint64_t> Doorbell::receive(std::uint64_t clear_flags) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    RT_FAIL_IF(clear_flags == 0, Error::argument_invalid);
    const LockGuard guard(lock_);
    const std::uint64_t old_flags = flags_;
    flags_ &= ~clear_flags;
    source_.set_level((flags_ & enable_mask_) != 0);
    return old_flags;
}

Result<> Doorbell::reset_flags() {
    RT_FAIL_IF(!is_active(), Error::object_state);
    const LockGuard guard(lock_);
    flags_ = 0;
    enable_mask_ = all_flags;
    ack_mask_ = 0;
    source_.set_level(false);
    return {};
}

Result<> Doorbell::set_masks(std::uint64_t enable, std::uint64_t acknowledge_mask) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    const LockGuard guard(lock_);
    const bool line_was_high = (flags_ & enable_mask_) != 0;
    enable_mask_ = enable;
    ack_mask_ = acknowledge_mask;
    const bool line_is_high = (flags_ & enable_mask_) != 0;
    source_.set_level(line_is_high);
    if (line_is_high && !line_was_high && source_.bound()) {
        acknowledge(); // flags that were masked until now have interrupted
    }
    return {};
}

void Doorbell::on_destroy() {
    unbind();
}

} // namespace hyp
