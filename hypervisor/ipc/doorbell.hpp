// SPDX-License-Identifier: BSD-3-Clause
// A doorbell: 64 flags that one side sets and the other is interrupted for.
#pragma once

#include "heap/names.hpp"
#include "interrupt/virq_source.hpp"
#include "object/object.hpp"

#include <cstdint>

namespace hyp {

/// Calls need an active object (else object_state) and are safe from any CPU.
///
/// The interrupt's line is high while an enabled flag is set. The line follows the flags in their
/// order, so it changes under lock_; lock order: doorbell, VirqSource, VIC.
class Doorbell final : public Object {
public:
    static constexpr ObjectType type = ObjectType::doorbell;

    Doorbell() : Object(type) {}

    /// Errors: those of VirqSource::bind. Flags that are set and enabled interrupt at once.
    Result<> bind(Vic& vic, VirqInfo info) RT_EXCLUDES(lock_);
    void unbind() RT_EXCLUDES(lock_);

    /// Sets flags; interrupts if an enabled flag is set then, and clears those in the ack mask.
    /// Returns the flags before.
    Result<std::uint64_t> send(std::uint64_t new_flags) RT_EXCLUDES(lock_);
    /// Clears flags and returns those before. Error: argument_invalid (nothing to clear).
    Result<std::uint64_t> receive(std::uint64_t clear_flags) RT_EXCLUDES(lock_);
    /// No flags, all enabled, none acknowledged automatically.
    Result<> reset_flags() RT_EXCLUDES(lock_);
    /// Which flags interrupt, and which are cleared when one does.
    Result<> set_masks(std::uint64_t enable, std::uint64_t acknowledge_mask) RT_EXCLUDES(lock_);

private:
    ~Doorbell() override = default;
    void on_destroy() override;
    void acknowledge() RT_REQUIRES(lock_);

    Spinlock lock_;
    std::uint64_t flags_ RT_GUARDED_BY(lock_) = 0;
    std::uint64_t enable_mask_ RT_GUARDED_BY(lock_) = ~std::uint64_t{0};
    std::uint64_t ack_mask_ RT_GUARDED_BY(lock_) = 0;
    VirqSource source_;
};

} // namespace hyp
