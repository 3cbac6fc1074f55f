// SPDX-License-Identifier: BSD-3-Clause
// A capability space: the table through which a VM names the objects it may use, and how.
#pragma once

#include "heap/names.hpp"
#include "object/capability.hpp"
#include "object/object.hpp"
#include "object/ref.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace hyp {

/// Slots live in chunks of 64 that come and go with use, under a directory made at activation.
///
/// Lock order: derivation lock (global) -> lock_ of one space -> heap. Never two spaces at once.
/// All calls are safe from any CPU and need an active space (else object_state).
class Cspace final : public Object {
public:
    static constexpr ObjectType type = ObjectType::cspace;
    static constexpr std::uint64_t capabilities_limit = 65536;

    Cspace() : Object(type) {}

    /// Most capabilities it may hold, 1..capabilities_limit. Errors: argument_invalid,
    /// object_state (already active).
    Result<> configure(std::uint64_t max_capabilities) RT_EXCLUDES(config_lock);

    /// The object behind a capability that has all of `rights`. Errors, in this order: cap_null
    /// (no such id), cap_revoked, wrong_object_type, insufficient_rights.
    template <typename T>
    [[nodiscard]] Result<Ref<T>> lookup(CapId id, std::uint32_t rights) RT_EXCLUDES(lock_) {
        return adopt<T>(lookup_type(id, rights, identity_of(T::type, ObjectState::init)));
    }
    /// As lookup(), and the object must be active (else object_state).
    template <typename T>
    [[nodiscard]] Result<Ref<T>> lookup_active(CapId id, std::uint32_t rights) RT_EXCLUDES(lock_) {
        return adopt<T>(lookup_type(id, rights, identity_of(T::type, ObjectState::active)));
    }
    /// An object of any type.
    [[nodiscard]] Result<Ref<Object>> lookup_any(CapId id, std::uint32_t rights) RT_EXCLUDES(lock_);

    /// A first capability to an object, child of none. Errors: cspace_full, no_memory.
    Result<CapId> insert(Ref<Object> object, std::uint32_t rights) RT_EXCLUDES(lock_);
    /// Copies a capability into `destination` (may be this space) with `rights & mask`; the copy
    /// becomes a child of it. Errors: as lookup and insert.
    Result<CapId> copy(CapId id, Cspace& destination, std::uint32_t mask) RT_EXCLUDES(lock_);
    /// Deletes a capability, revoked ones too; its children become its parent's. Error: cap_null.
    Result<> remove(CapId id) RT_EXCLUDES(lock_);
    /// Makes one capability useless to its holder; its children become its parent's.
    /// Errors: cap_null, cap_revoked.
    Result<> revoke(CapId id) RT_EXCLUDES(lock_);
    /// Revokes everything that was derived from a capability, in all spaces, at one instant.
    /// Errors: cap_null, cap_revoked.
    Result<> revoke_children(CapId id) RT_EXCLUDES(lock_);

    /// Used slots (revoked ones too) of this space, of all spaces.
    [[nodiscard]] std::uint64_t size() const RT_EXCLUDES(lock_);
    static std::uint64_t total_capabilities();

private:
    static constexpr std::size_t slots_per_chunk = 64; // a page
    struct Chunk {
        std::array<Capability, slots_per_chunk> slots{};
    };
    struct ChunkEntry {
        Chunk* chunk = nullptr;
        std::size_t used = 0; // slots
    };

    /// An object with a reference for the caller, or an error: in one register. Objects are
    /// aligned, so that the lowest bit tells.
    class Found {
    public:
        explicit Found(Object& object) : bits_(reinterpret_cast<std::uintptr_t>(&object)) {}
        explicit Found(Error error)
            : bits_(static_cast<std::uintptr_t>(static_cast<std::intptr_t>(error)) << 1 | 1) {}
        [[nodiscard]] bool failed() const { return (bits_ & 1) != 0; }
        [[nodiscard]] Error error() const {
            return static_cast<Error>(static_cast<std::intptr_t>(bits_) >> 1);
        }
        [[nodiscard]] Object* object() const { return reinterpret_cast<Object*>(bits_); }

    private:
        std::uintptr_t bits_;
    };

    template <typename T>
    static Result<Ref<T>> adopt(Found found) {
        if (found.failed()) {
            return fail(found.error());
        }
        return Ref<T>::adopt(static_cast<T*>(found.object()));
    }
    ~Cspace() override = default;
    Result<> on_activate() override;
    void on_destroy() override;

    HYP_CALLED_BY_NAME Found lookup_type(CapId id, std::uint32_t rights, unsigned wanted)
        RT_EXCLUDES(lock_);
    Capability* find(CapId id) RT_REQUIRES(lock_);
    Result<Capability*> find_live(CapId id) RT_REQUIRES(lock_);
    Result<Capability*> allocate_slot() RT_REQUIRES(lock_);
    void free_slot(Capability& slot) RT_REQUIRES(lock_);
    Result<Capability*> place(Object* object, std::uint32_t rights) RT_EXCLUDES(lock_);
    static void drop_object(Capability& slot);

    mutable Spinlock lock_;
    ChunkEntry* directory_ RT_GUARDED_BY(lock_) = nullptr;
    std::size_t chunk_count_ RT_GUARDED_BY(lock_) = 0; // entries of directory_; 0 until active
    std::uint64_t max_ RT_GUARDED_BY(lock_) = 0;
    std::uint64_t used_ RT_GUARDED_BY(lock_) = 0;
    std::uint64_t serial_ RT_GUARDED_BY(lock_) = 0;     // number of the last id given out
    std::uint64_t chunk_hint_ RT_GUARDED_BY(lock_) = 0; // no chunk below has a free slot
};

} // namespace hyp
