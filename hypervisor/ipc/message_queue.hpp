// SPDX-License-Identifier: BSD-3-Clause
// A message queue: bounded messages in order, with an interrupt for each side.
#pragma once

#include "heap/names.hpp"
#include "interrupt/soft_timer.hpp"
#include "interrupt/virq_source.hpp"
#include "object/object.hpp"

#include <runtime/relaxed.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace hyp {

/// Where a received message goes. Called under the queue's lock, so it may take locks that come
/// later: an address space's, for example.
class MessageSink {
public:
    virtual Result<> take(std::span<const std::byte> message) = 0;

protected:
    ~MessageSink() = default;
};

/// Where a message to send comes from. Called under the queue's lock, as MessageSink is; what was
/// given before an error is forgotten.
class MessageSource {
public:
    virtual Result<> give(std::span<std::byte> place) = 0;

protected:
    ~MessageSource() = default;
};

/// Calls but configure need an active object (else object_state) and are safe from any CPU.
/// Interrupts are asserted after lock_ is dropped.
class MessageQueue final : public Object {
public:
    static constexpr ObjectType type = ObjectType::message_queue;
    static constexpr std::size_t max_depth = 256;
    static constexpr std::size_t max_message_size = 240; // bytes; GH_MSGQUEUE_MAX_MESSAGE_SIZE

    static constexpr std::uint64_t max_delay_us = 10'000'000;

    MessageQueue()
        : Object(type), send_timer_(on_send_delay, this), receive_timer_(on_receive_delay, this) {}

    /// Depth in messages (1..max_depth) and size limit in bytes (1..max_message_size).
    /// Errors: argument_invalid, object_state.
    Result<> configure(std::size_t depth, std::size_t message_size) RT_EXCLUDES(config_lock);

    /// Errors: those of VirqSource::bind. A receiver that binds to a queue that has reached its
    /// threshold is interrupted at once, as is a sender that found the queue full.
    Result<> bind_send(Vic& vic, VirqInfo info) RT_EXCLUDES(lock_);
    Result<> bind_receive(Vic& vic, VirqInfo info) RT_EXCLUDES(lock_);
    void unbind_send() { send_source_.unbind(); }
    void unbind_receive() { receive_source_.unbind(); }

    /// Appends a message of `size` bytes; gives 1 if there is room for another, else 0. Interrupts
    /// the receiver if the queue reaches the not-empty threshold, or if `push`. Errors:
    /// argument_size (empty or over the limit), msgqueue_full, the source's. That the object is
    /// active is the caller's to know, as with receive().
    Result<std::uint32_t> send(std::size_t size, MessageSource& source, bool push)
        RT_EXCLUDES(lock_);
    struct Received {                // numbers that a Result keeps in registers
        std::uint32_t size = 0;      // bytes
        std::uint32_t not_empty = 0; // 1: more messages wait
    };
    /// Gives the oldest message to `sink`, unless it is larger than `limit` bytes; it is gone only
    /// if the sink took it. Interrupts the sender if the queue falls to the not-full threshold.
    /// Errors: msgqueue_empty, address_overflow (larger than the limit), the sink's.
    Result<Received> receive(std::size_t limit, MessageSink& sink) RT_EXCLUDES(lock_);
    /// Without the lock: a message that another CPU is just sending may be missed. Its sender
    /// interrupts the receiver after that.
    [[nodiscard]] bool looks_empty() const { return used() == 0; }
    /// Likewise: room that another CPU is just making may be missed. A receiver that makes it
    /// interrupts the sender after that, by the threshold.
    [[nodiscard]] bool looks_full() const { return used() == depth_; }
    /// Fixed once active.
    [[nodiscard]] std::uint64_t depth() const { return depth_; }
    /// Drops all messages; both sides' interrupts are as for an empty queue.
    Result<> flush() RT_EXCLUDES(lock_);

    /// Fill counts at which the sides are interrupted; nullopt changes nothing. Not-full is below
    /// the depth, not-empty is 1..depth. With a delay (microseconds; 0: none) a side is also
    /// interrupted so long after a message, or room, came that its threshold did not count.
    /// Error: argument_invalid.
    Result<> set_send_threshold(std::optional<std::uint64_t> not_full,
                                std::optional<std::uint64_t> delay_us) RT_EXCLUDES(lock_);
    Result<> set_receive_threshold(std::optional<std::uint64_t> not_empty,
                                   std::optional<std::uint64_t> delay_us) RT_EXCLUDES(lock_);

private:
    ~MessageQueue() override = default;
    Result<> on_activate() override;
    void on_destroy() override;
    /// A message's size, then its bytes, aligned so that they are copied by words.
    struct Cell {
        std::uint64_t size;
        std::byte bytes[];
    };
    [[nodiscard]] Cell* cell(std::size_t index) RT_REQUIRES(lock_);

    [[nodiscard]] std::size_t used() const { return rt::load_relaxed(used_); }
    void set_used(std::size_t used) RT_REQUIRES(lock_) {
        used_.store(used, std::memory_order_relaxed);
    }

    static void on_send_delay(void* queue);
    static void on_receive_delay(void* queue);
    void start(SoftTimer& timer, std::uint64_t delay_us) RT_EXCLUDES(lock_, timer_lock_);

    std::size_t depth_ = 0; // fixed once active
    std::size_t message_size_ = 0;
    std::size_t cell_size_ = 0; // bytes

    Spinlock lock_;
    std::byte* storage_ RT_GUARDED_BY(lock_) = nullptr; // depth_ cells
    std::size_t head_ RT_GUARDED_BY(lock_) = 0;         // cell of the oldest message
    std::atomic<std::size_t> used_{0}; // changed under lock_, read without it by looks_empty()
    bool sender_waits_ RT_GUARDED_BY(lock_) = false; // the queue is full, or was
    std::size_t not_full_threshold_ RT_GUARDED_BY(lock_) = 0;
    std::size_t not_empty_threshold_ RT_GUARDED_BY(lock_) = 1;
    std::uint64_t not_full_delay_ RT_GUARDED_BY(lock_) = 0; // microseconds
    std::uint64_t not_empty_delay_ RT_GUARDED_BY(lock_) = 0;
    Spinlock timer_lock_; // two CPUs arm one timer in turn; before the timers' queues
    SoftTimer send_timer_;
    SoftTimer receive_timer_;
    VirqSource send_source_;
    VirqSource receive_source_;
};

} // namespace hyp
