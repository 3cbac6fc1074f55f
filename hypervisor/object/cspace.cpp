// SPDX-License-Identifier: BSD-3-Clause
// The capability table and the operations on it.
#include "object/cspace.hpp"

#include "heap/heap.hpp"

#include <algorithm>
#include <atomic>
#include <new>

namespace hyp {

namespace {

constexpr unsigned index_bits = 16; // of a CapId; the serial number is above

// Of an object's identity.
constexpr unsigned type_mask = 0xff;
constexpr auto any_type = static_cast<unsigned>(ObjectType::count);

constexpr std::size_t index_of(CapId id) {
    return id & ((std::uint64_t{1} << index_bits) - 1);
}

/// Guards all links between capabilities. Held across whole operations that change the tree, so
/// that a capability in the tree stays where it is meanwhile.
constinit Spinlock derivation_lock;

constinit std::atomic<std::uint64_t> capability_count{0};

} // namespace

static_assert(sizeof(Capability) == 64);

Result<> Cspace::configure(std::uint64_t max_capabilities) {
    const LockGuard config_guard(config_lock);
    RT_FAIL_IF(is_active(), Error::object_state);
    RT_FAIL_IF(max_capabilities == 0 || max_capabilities > capabilities_limit,
               Error::argument_invalid);
    const LockGuard guard(lock_);
    max_ = max_capabilities;
    return {};
}

Result<> Cspace::on_activate() {
    static_assert(sizeof(Chunk) <= page_size);
    const LockGuard guard(lock_);
    RT_FAIL_IF(max_ == 0, Error::object_config);
    const std::size_t chunks = (max_ + slots_per_chunk - 1) / slots_per_chunk;
    directory_ = static_cast<ChunkEntry*>(allocate_charged(chunks * sizeof(ChunkEntry)));
    RT_FAIL_IF(directory_ == nullptr, Error::no_memory);
    std::fill_n(directory_, chunks, ChunkEntry{});
    chunk_count_ = chunks;
    return {};
}

void Cspace::on_destroy() {
    const LockGuard tree_guard(derivation_lock);
    const LockGuard guard(lock_);
    if (directory_ == nullptr) {
        return;
    }
    for (std::size_t chunk = 0; chunk < chunk_count_; ++chunk) {
        for (std::size_t i = 0; directory_[chunk].chunk != nullptr && i < slots_per_chunk; ++i) {
            if (Capability& slot = directory_[chunk].chunk->slots[i]; slot.id != 0) {
                derivation_detach(slot);
                drop_object(slot);
                free_slot(slot);
            }
        }
    }
    heap().release(directory_);
    directory_ = nullptr;
}

inline Capability* Cspace::find(CapId id) {
    const std::size_t index = index_of(id);
    if (id == 0 || index / slots_per_chunk >= chunk_count_) {
        return nullptr;
    }
    Chunk* chunk = directory_[index / slots_per_chunk].chunk;
    if (chunk == nullptr) {
        return nullptr;
    }
    Capability& slot = chunk->slots[index % slots_per_chunk];
    return slot.id == id ? &slot : nullptr;
}

/// A capability that still leads to an object.
Result<Capability*> Cspace::find_live(CapId id) {
    Capability* slot = find(id);
    RT_FAIL_IF(slot == nullptr, Error::cap_null);
    RT_FAIL_IF(slot->object == nullptr, Error::cap_revoked);
    return slot;
}

/// With a reference for the caller. `wanted` is the object's identity: ObjectType::count stands
/// for any type, ObjectState::init for any state.
Cspace::Found Cspace::lookup_type(CapId id, std::uint32_t rights, unsigned wanted) {
    const LockGuard guard(lock_);
    const Capability* slot = find(id);
    if (slot == nullptr) {
        return Found(Error::cap_null);
    }
    Object* object = slot->object;
    if (object == nullptr) {
        return Found(Error::cap_revoked);
    }
    const std::uint16_t identity = object->identity();
    if (identity != wanted) { // the usual one is
        const unsigned wanted_type = wanted & type_mask;
        if (wanted_type != (identity & type_mask) && wanted_type != any_type) {
            return Found(Error::wrong_object_type);
        }
    }
    if ((rights & ~slot->rights) != 0) {
        return Found(Error::insufficient_rights);
    }
    if (identity < (wanted & ~type_mask)) { // init, but active is wanted
        return Found(Error::object_state);
    }
    object->acquire_reference();
    return Found(*object);
}

Result<Ref<Object>> Cspace::lookup_any(CapId id, std::uint32_t rights) {
    return adopt<Object>(
        lookup_type(id, rights, identity_of(ObjectType::count, ObjectState::init)));
}

Result<Capability*> Cspace::allocate_slot() {
    RT_FAIL_IF(used_ == max_, Error::cspace_full);
    // The lowest free slot; its index is below max_ because fewer than max_ are in use.
    std::size_t number = chunk_hint_;
    while (directory_[number].used == slots_per_chunk) {
        ++number;
    }
    chunk_hint_ = number;
    ChunkEntry& entry = directory_[number];
    if (entry.chunk == nullptr) {
        void* memory = allocate_charged(sizeof(Chunk));
        RT_FAIL_IF(memory == nullptr, Error::no_memory);
        entry.chunk = new (memory) Chunk;
    }
    std::size_t i = 0;
    while (entry.chunk->slots[i].id != 0) {
        ++i;
    }
    ++entry.used;
    ++used_;
    capability_count.fetch_add(1, std::memory_order_relaxed);
    entry.chunk->slots[i].id = (++serial_ << index_bits) | (number * slots_per_chunk + i);
    return &entry.chunk->slots[i];
}

void Cspace::free_slot(Capability& slot) {
    const std::size_t index = index_of(slot.id);
    const std::size_t number = index / slots_per_chunk;
    slot = Capability{};
    --used_;
    capability_count.fetch_sub(1, std::memory_order_relaxed);
    chunk_hint_ = std::min<std::uint64_t>(chunk_hint_, number);
    if (--directory_[number].used == 0) {
        heap().destroy(directory_[number].chunk);
        refund(sizeof(Chunk));
        directory_[number].chunk = nullptr;
    }
}

/// Drops the slot's reference; the caller drains dead objects once it holds no lock.
void Cspace::drop_object(Capability& slot) {
    if (Object* object = slot.object; object != nullptr) {
        slot.object = nullptr;
        object->release_reference_deferred();
    }
}

/// Fills a free slot; on success the slot owns the caller's reference to `object`.
Result<Capability*> Cspace::place(Object* object, std::uint32_t rights) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    const LockGuard guard(lock_);
    auto slot = allocate_slot();
    if (slot) {
        (*slot)->object = object;
        (*slot)->rights = rights;
        (*slot)->space = this;
    }
    return slot;
}

Result<CapId> Cspace::insert(Ref<Object> object, std::uint32_t rights) {
    const LockGuard tree_guard(derivation_lock);
    Capability* slot = RT_TRY(place(object.get(), rights));
    static_cast<void>(object.detach());
    return slot->id;
}

Result<CapId> Cspace::copy(CapId id, Cspace& destination, std::uint32_t mask) {
    Ref<Object> object; // released after the lock if the copy fails
    const LockGuard tree_guard(derivation_lock);
    Capability* source = nullptr;
    std::uint32_t rights = 0;
    {
        const LockGuard guard(lock_);
        source = RT_TRY(find_live(id));
        rights = source->rights & mask;
        object = Ref<Object>(*source->object);
    }
    Capability* slot = RT_TRY(destination.place(object.get(), rights));
    static_cast<void>(object.detach());
    derivation_attach(*source, *slot);
    return slot->id;
}

Result<> Cspace::remove(CapId id) {
    {
        const LockGuard tree_guard(derivation_lock);
        const LockGuard guard(lock_);
        Capability* slot = find(id);
        RT_FAIL_IF(slot == nullptr, Error::cap_null);
        derivation_detach(*slot);
        drop_object(*slot);
        free_slot(*slot);
    }
    drain_dead_objects();
    return {};
}

Result<> Cspace::revoke(CapId id) {
    {
        const LockGuard tree_guard(derivation_lock);
        const LockGuard guard(lock_);
        Capability* slot = RT_TRY(find_live(id));
        derivation_detach(*slot);
        drop_object(*slot);
    }
    drain_dead_objects();
    return {};
}

Result<> Cspace::revoke_children(CapId id) {
    {
        const LockGuard tree_guard(derivation_lock);
        Capability* root = nullptr;
        {
            const LockGuard guard(lock_);
            root = RT_TRY(find_live(id));
        }
        while (Capability* leaf = derivation_leaf(*root)) {
            derivation_detach(*leaf);
            const LockGuard guard(leaf->space->lock_);
            drop_object(*leaf);
        }
    }
    drain_dead_objects();
    return {};
}

std::uint64_t Cspace::size() const {
    const LockGuard guard(lock_);
    return used_;
}

std::uint64_t Cspace::total_capabilities() {
    return capability_count.load(std::memory_order_relaxed);
}

} // namespace hyp
