// SPDX-License-Identifier: BSD-3-Clause
// Reference counting, activation, and the queue that makes destruction iterative.
#include "object/object.hpp"

#include "heap/heap.hpp"

#include <arch/cpu.hpp>
#include <runtime/panic.hpp>

#include <array>

namespace hyp {

namespace {

std::atomic<std::uint64_t>& counter(ObjectType type) {
    static constinit std::array<std::atomic<std::uint64_t>,
                                static_cast<std::size_t>(ObjectType::count)>
        counters{};
    return counters[static_cast<std::size_t>(type)];
}

/// Objects without references that wait for their end. Only its own CPU touches an entry, and EL2
/// is never preempted, hence no lock.
struct DeadQueue {
    Object* first = nullptr;
    bool draining = false;
};

DeadQueue& dead_queue() {
    static constinit std::array<DeadQueue, max_cpus> queues{};
    return queues[cpu_index()];
}

} // namespace

Object::Object(ObjectType type) : identity_(identity_of(type, ObjectState::init)) {
    counter(type).fetch_add(1, std::memory_order_relaxed);
}

Object::~Object() {
    if (payer_ != nullptr) {
        payer_->repay(charged_);
        payer_->release_reference();
    }
    counter(object_type()).fetch_sub(1, std::memory_order_relaxed);
}

Result<> Object::paid_by(Object& payer, std::uint64_t bytes) {
    RT_FAIL_IF(!payer.pay(bytes), Error::no_memory);
    payer.acquire_reference();
    payer_ = &payer;
    charged_ = bytes;
    return {};
}

bool Object::charge(std::uint64_t bytes) {
    if (payer_ == nullptr) {
        return true;
    }
    if (!payer_->pay(bytes)) {
        return false;
    }
    charged_ += bytes;
    return true;
}

void Object::refund(std::uint64_t bytes) {
    if (payer_ != nullptr) {
        charged_ -= bytes;
        payer_->repay(bytes);
    }
}

void* Object::allocate_charged(std::size_t bytes) {
    if (!charge(bytes)) {
        return nullptr;
    }
    void* memory = heap().allocate(bytes);
    if (memory == nullptr) {
        refund(bytes);
    }
    return memory;
}

std::uint64_t Object::count(ObjectType type) {
    return counter(type).load(std::memory_order_relaxed);
}

std::uint64_t Object::count() {
    std::uint64_t sum = 0;
    for (std::size_t type = 0; type < static_cast<std::size_t>(ObjectType::count); ++type) {
        sum += count(static_cast<ObjectType>(type));
    }
    return sum;
}

Result<> Object::activate() {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(state() != ObjectState::init, Error::object_state);
    RT_TRY(on_activate());
    identity_.store(identity_of(object_type(), ObjectState::active), std::memory_order_release);
    return {};
}

void Object::bad_reference() {
    rt::panic("a reference to a dead object, or too many");
}

bool Object::try_acquire_reference() {
    std::uint32_t before = references_.load(std::memory_order_relaxed);
    while (before != 0) {
        rt::ensure(before < reference_limit, "too many references to an object");
        if (references_.compare_exchange_weak(before, before + 1, std::memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

void Object::queue_dead() {
    rt::ensure(references_.load(std::memory_order_relaxed) == 0, "reference released twice");
    DeadQueue& queue = dead_queue();
    next_dead_ = queue.first;
    queue.first = this;
}

void Object::drain_dead_objects() {
    DeadQueue& queue = dead_queue();
    if (queue.draining) {
        return;
    }
    queue.draining = true;
    while (queue.first != nullptr) {
        Object* object = queue.first;
        queue.first = object->next_dead_;
        object->on_destroy();
        delete object;
    }
    queue.draining = false;
}

void Object::operator delete(void* memory) noexcept {
    heap().release(memory);
}

} // namespace hyp
