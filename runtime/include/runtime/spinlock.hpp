// SPDX-License-Identifier: BSD-3-Clause
// A fair (ticket) spinlock and its guard. EL2 runs with interrupts masked, so no IRQ variant.
#pragma once

#include <runtime/thread_annotations.hpp>

#include <cstdint>

#if !defined(__aarch64__)
#include <sched.h>
#endif

namespace rt {

class RT_CAPABILITY("spinlock") Spinlock {
public:
    Spinlock() = default;
    Spinlock(const Spinlock&) = delete;
    Spinlock& operator=(const Spinlock&) = delete;

    void lock() RT_ACQUIRE() {
        const std::uint32_t before = __atomic_fetch_add(&tickets_, one_ticket, __ATOMIC_ACQUIRE);
        const auto mine = static_cast<std::uint16_t>(before >> 16);
        if (static_cast<std::uint16_t>(before) != mine) [[unlikely]] {
            while (__atomic_load_n(serving(), __ATOMIC_ACQUIRE) != mine) {
                relax();
            }
        }
    }

    void unlock() RT_RELEASE() {
        const auto next = static_cast<std::uint16_t>(served() + 1);
        __atomic_store_n(serving(), next, __ATOMIC_RELEASE);
    }

private:
    static void relax() {
#if defined(__aarch64__)
        asm volatile("yield");
#else
        sched_yield(); // host tests: the holder may be a thread that does not run
#endif
    }

    /// Only the holder changes that half; ThreadSanitizer sees others change the whole word.
    std::uint16_t served() {
#if defined(__aarch64__)
        return *serving();
#else
        return __atomic_load_n(serving(), __ATOMIC_RELAXED);
#endif
    }

    // The low half (of a little-endian machine) alone.
    using Half = std::uint16_t __attribute__((may_alias));
    Half* serving() { return reinterpret_cast<Half*>(&tickets_); }

    static constexpr std::uint32_t one_ticket = 1 << 16;
    std::uint32_t tickets_ = 0; // 31:16 the next one to be drawn, 15:0 the one being served
};

/// Holds a Spinlock for a scope.
class RT_SCOPED_CAPABILITY LockGuard {
public:
    explicit LockGuard(Spinlock& lock) RT_ACQUIRE(lock) : lock_(lock) { lock_.lock(); }
    ~LockGuard() RT_RELEASE() { lock_.unlock(); }
    LockGuard(const LockGuard&) = delete;
    LockGuard& operator=(const LockGuard&) = delete;

private:
    Spinlock& lock_;
};

} // namespace rt
