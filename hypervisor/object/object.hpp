// SPDX-License-Identifier: BSD-3-Clause
// What every object that a capability can name has: a type, a state and a reference count.
#pragma once

#include "heap/names.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace hyp {

enum class ObjectType : std::uint8_t {
    partition,
    cspace,
    address_space,
    memextent,
    thread,
    doorbell,
    message_queue,
    vic,
    vpm_group,
    hwirq,
    watchdog,
    virtio_mmio,
    count,
};

enum class ObjectState : std::uint8_t {
    init,   ///< may be configured and attached; not yet usable
    active, ///< usable; configuration is fixed
};

/// Base of all kernel objects. Each class T derived from it has `static constexpr ObjectType type`.
///
/// Lifetime: made by make_object<T>() with one reference, kept alive by Ref<T>. When the last
/// reference goes, on_destroy() and the destructor run on that CPU, one object after another and
/// never nested, so that a long chain of objects cannot exhaust the stack. Whoever may drop the
/// last reference holds no spinlock.
///
/// Locks: config_lock is the first in the hypervisor's lock order.
class Object {
public:
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    /// Type and state in one number.
    static constexpr std::uint16_t identity_of(ObjectType type, ObjectState state) {
        return static_cast<std::uint16_t>(static_cast<unsigned>(type) | static_cast<unsigned>(state)
                                                                            << 8);
    }
    [[nodiscard]] std::uint16_t identity() const {
        return identity_.load(std::memory_order_acquire);
    }
    [[nodiscard]] ObjectType object_type() const {
        return static_cast<ObjectType>(identity_.load(std::memory_order_relaxed) & 0xff);
    }
    [[nodiscard]] ObjectState state() const { return static_cast<ObjectState>(identity() >> 8); }
    [[nodiscard]] bool is_active() const { return state() == ObjectState::active; }

    /// init -> active. Errors: object_state (not in init), and what on_activate() says; after an
    /// error the object is still in init.
    Result<> activate() RT_EXCLUDES(config_lock);

    /// Back to the initial configuration. Error: unimplemented, unless the type can.
    virtual Result<> reset() { return fail(Error::unimplemented); }

    /// From now on the object's memory, `bytes` to begin with, counts to `payer`, a partition,
    /// which it keeps alive. Error: no_memory.
    Result<> paid_by(Object& payer, std::uint64_t bytes);
    [[nodiscard]] Object* payer() const { return payer_; }
    /// Counts memory that the object takes for its contents; false if its partition has none left.
    /// What is not refunded is when the object dies.
    [[nodiscard]] bool charge(std::uint64_t bytes);
    void refund(std::uint64_t bytes);
    /// Heap memory that is charged; nullptr if there is none. Its content is undefined.
    [[nodiscard]] void* allocate_charged(std::size_t bytes);

    void acquire_reference() {
        // Unsigned: zero, which nobody may revive, wraps to more than any limit.
        if (references_.fetch_add(1, std::memory_order_relaxed) - 1 >= reference_limit - 1) {
            bad_reference();
        }
    }
    /// Takes a reference unless the last one is gone already: for tables that hold none themselves.
    [[nodiscard]] bool try_acquire_reference();
    /// Drops a reference; destroys the object if it was the last.
    void release_reference() {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) <= 1) {
            queue_dead();
            drain_dead_objects();
        }
    }
    /// Drops a reference where locks are held: destruction waits for drain_dead_objects(), which
    /// the same CPU must call after it dropped its locks.
    void release_reference_deferred() {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) <= 1) {
            queue_dead();
        }
    }
    /// Destroys what this CPU has queued; does nothing while it is already doing so.
    static void drain_dead_objects();

    /// Live objects of one type, of all types.
    static std::uint64_t count(ObjectType type);
    static std::uint64_t count();

    /// Guards configuration: hold it while reading the init state and acting on it.
    Spinlock config_lock;

    // Objects live in the hypervisor's heap: make_object() puts them there.
    static void operator delete(void* memory) noexcept;

protected:
    explicit Object(ObjectType type);
    virtual ~Object();

    /// Checks the configuration and takes what the active object needs; runs under config_lock.
    virtual Result<> on_activate() { return {}; }
    /// For partitions: whether memory for objects is left, and its return.
    [[nodiscard]] virtual bool pay(std::uint64_t) { return true; }
    virtual void repay(std::uint64_t) {}
    /// Lets go of everything others could still reach; the reference count is zero.
    virtual void on_destroy() {}

private:
    static constexpr std::uint32_t reference_limit = 0x80000000;

    [[noreturn]] static void bad_reference();
    /// After the last reference was dropped.
    void queue_dead();

    std::atomic<std::uint16_t> identity_;
    std::atomic<std::uint32_t> references_{1};
    Object* next_dead_ = nullptr;
    Object* payer_ = nullptr; // with a reference
    std::atomic<std::uint64_t> charged_{0};
};

/// The object as a T if it is one, else nullptr.
template <typename T>
T* object_cast(Object* object) {
    return object != nullptr && object->object_type() == T::type ? static_cast<T*>(object)
                                                                 : nullptr;
}

} // namespace hyp
