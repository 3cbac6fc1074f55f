// SPDX-License-Identifier: BSD-3-Clause
// A partition's memory and what its objects cost.
#include "memory/partition.hpp"

#include <runtime/panic.hpp>

namespace hyp {

Result<> Partition::on_activate() {
    if (parent_) {
        id_ = RT_TRY(ownership().allocate_id());
    }
    return {};
}

void Partition::on_destroy() {
    if (!parent_ || !is_active()) {
        return;
    }
    constexpr PhysRange everything{PhysAddr{0}, std::uint64_t{1} << 52};
    for (;;) {
        const PhysRange run = ownership().first_owned(everything, id_);
        if (run.size == 0) {
            break;
        }
        const bool back =
            ownership().transfer(run, id_, owner_id(parent_.get()), TouchMark::set).has_value();
        rt::ensure(back, "memory of a partition is mapped");
        parent_->deposit(run.size);
    }
    ownership().release_id(id_);
}

bool Partition::pay(std::uint64_t bytes) {
    if (!parent_) {
        return true;
    }
    const LockGuard guard(lock_);
    if (bytes > owned_ - used_) {
        return false;
    }
    used_ += bytes;
    return true;
}

void Partition::repay(std::uint64_t bytes) {
    if (parent_) {
        const LockGuard guard(lock_);
        used_ -= bytes;
    }
}

bool Partition::withdraw(std::uint64_t bytes) {
    if (!parent_) {
        return true;
    }
    const LockGuard guard(lock_);
    if (bytes > owned_ - used_) {
        return false;
    }
    owned_ -= bytes;
    return true;
}

void Partition::deposit(std::uint64_t bytes) {
    if (parent_) {
        const LockGuard guard(lock_);
        owned_ += bytes;
    }
}

Result<> Partition::give(Partition* partition, PhysRange range, OwnerId to, TouchMark mark) {
    if (partition == nullptr) {
        return ownership().transfer(range, OwnerId::partition, to, mark);
    }
    // In this order: memory that is promised to objects cannot leave meanwhile.
    if (!partition->withdraw(range.size)) {
        const bool is_its = ownership().has_one_owner(range) &&
                            ownership().owner_of(range.base) == owner_id(partition);
        return fail(is_its ? Error::no_memory : Error::not_owner);
    }
    auto given = ownership().transfer(range, owner_id(partition), to, mark);
    if (!given) {
        partition->deposit(range.size);
    }
    return given;
}

Result<> Partition::take_back(Partition* partition, PhysRange range, OwnerId from, TouchMark mark) {
    auto taken = ownership().transfer(range, from, owner_id(partition), mark);
    if (taken && partition != nullptr) {
        partition->deposit(range.size);
    }
    return taken;
}

Result<> Partition::donate(Partition& from, Partition& to, bool related, PhysRange range) {
    RT_FAIL_IF(!from.is_active() || !to.is_active(), Error::object_state);
    RT_FAIL_IF(!related, Error::argument_invalid);
    RT_FAIL_IF(range.size == 0 || range_wraps(range.base.value, range.size), Error::argument_size);
    auto given = give(&from, range, owner_id(&to), TouchMark::set);
    if (given) {
        to.deposit(range.size);
    }
    return given;
}

} // namespace hyp
