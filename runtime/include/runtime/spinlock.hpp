// SPDX-License-Identifier: BSD-3-Clause
// A fair (ticket) spinlock and its guard. EL2 runs with interrupts masked, so no IRQ variant.
#pragma once

#include <runtime/thread_annotations.hpp>

#include <atomic>
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
        const std::uint32_t ticket = next_.fetch_add(1, std::memory_order_relaxed);
        while (serving_.load(std::memory_order_acquire) != ticket) {
            relax();
        }
    }

    void unlock() RT_RELEASE() {
        serving_.store(serving_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

private:
    static void relax() {
#if defined(__aarch64__)
        asm volatile("yield");
#else
        sched_yield(); // host tests: the holder may be a thread that does not run
#endif
    }

    std::atomic<std::uint32_t> next_{0};
    std::atomic<std::uint32_t> serving_{0};
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
