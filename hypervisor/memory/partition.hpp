// SPDX-License-Identifier: BSD-3-Clause
// A partition: memory, and the right to make objects at its cost.
#pragma once

#include "heap/names.hpp"
#include "memory/ownership.hpp"
#include "object/object.hpp"
#include "object/ref.hpp"

#include <cstdint>

namespace hyp {

/// The root partition owns all RAM that no extent owns, and its objects are limited by the
/// hypervisor's pool only. Others start with nothing: a parent donates memory to them. That memory
/// goes to extents made from the partition, and what is left bounds its objects: they stand in the
/// hypervisor's pool, and the partition holds as much of its own memory back.
///
/// Invariant: used_ <= owned_. When the last reference goes (objects hold one), its memory is its
/// parent's again. Lock: a leaf, before the heap's.
class Partition final : public Object {
public:
    static constexpr ObjectType type = ObjectType::partition;

    /// The root partition.
    Partition() : Object(type) {}
    explicit Partition(Ref<Partition> parent) : Object(type), parent_(std::move(parent)) {}

    /// Gives RAM that `from` owns to `to`, its child or its parent. Errors: argument_invalid (not
    /// so related), argument_size, argument_alignment, object_state, not_owner, no_memory (what is
    /// left would not cover the objects of `from`).
    static Result<> donate_to_child(Partition& from, Partition& to, PhysRange range) {
        return donate(from, to, to.parent_.get() == &from, range);
    }
    static Result<> donate_to_parent(Partition& from, Partition& to, PhysRange range) {
        return donate(from, to, from.parent_.get() == &to, range);
    }

    /// Memory goes to, and comes back from, an extent. `partition` null: the root.
    static Result<> give(Partition* partition, PhysRange range, OwnerId to, TouchMark mark);
    static Result<> take_back(Partition* partition, PhysRange range, OwnerId from, TouchMark mark);
    static OwnerId owner_id(const Partition* partition) {
        return partition == nullptr || !partition->parent_ ? OwnerId::partition : partition->id_;
    }

private:
    ~Partition() override = default;
    static Result<> donate(Partition& from, Partition& to, bool related, PhysRange range);
    Result<> on_activate() override;
    void on_destroy() override;
    [[nodiscard]] bool pay(std::uint64_t bytes) override RT_EXCLUDES(lock_);
    void repay(std::uint64_t bytes) override RT_EXCLUDES(lock_);
    [[nodiscard]] bool withdraw(std::uint64_t bytes) RT_EXCLUDES(lock_);
    void deposit(std::uint64_t bytes) RT_EXCLUDES(lock_);

    const Ref<Partition> parent_;
    OwnerId id_ = OwnerId::partition; // fixed while active
    Spinlock lock_;
    std::uint64_t owned_ RT_GUARDED_BY(lock_) = 0; // bytes; not counted for the root
    std::uint64_t used_ RT_GUARDED_BY(lock_) = 0;  // by objects
};

} // namespace hyp
