// SPDX-License-Identifier: BSD-3-Clause
// The spinlock excludes: increments of a plain counter by several threads are not lost.
#include <runtime/spinlock.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace {

TEST(Spinlock, excludes) {
    constexpr int threads = 2;
    constexpr int rounds = 20000;
    rt::Spinlock lock;
    int counter = 0;
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i) {
        workers.emplace_back([&] {
            for (int round = 0; round < rounds; ++round) {
                const rt::LockGuard guard(lock);
                counter = counter + 1;
            }
        });
    }
    for (std::thread& worker : workers) {
        worker.join();
    }
    EXPECT_EQ(counter, threads * rounds);
}

} // namespace
