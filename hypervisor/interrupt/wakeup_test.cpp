// SPDX-License-Identifier: BSD-3-Clause
// Interrupts against sleeping and running vCPUs from real threads, and random histories: nothing
// asserted is ever lost.
#include "interrupt/testing/test_vm.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>

namespace hyp {
namespace {

class Wakeup : public fake::VicTest {};

/// What a scheduler does with VirqTarget: sleep when nothing is deliverable, leave when kicked.
class Sleeper {
public:
    explicit Sleeper(fake::TestVcpu& vcpu) : vcpu_(vcpu) {
        vcpu.on_told = [this] {
            const std::lock_guard guard(mutex_);
            awake_ = true;
            condition_.notify_one();
        };
    }
    void wait_for_interrupt() {
        std::unique_lock lock(mutex_);
        awake_ = vcpu_.interrupts.has_deliverable();
        condition_.wait(lock, [this] { return awake_; });
    }

private:
    fake::TestVcpu& vcpu_;
    std::mutex mutex_;
    std::condition_variable condition_;
    bool awake_ = true;
};

TEST_F(Wakeup, NoEventIsLostBetweenSleepAndAssert) {
    constexpr unsigned rounds = 20000;
    make_vm(1);
    enable(40);
    VirqSource source;
    ASSERT_TRUE(source.bind(*vic, {40, 0}));
    Sleeper sleeper(*vcpu[0]);
    std::atomic<unsigned> handled{0};
    std::thread cpu([&] {
        fake::set_cpu_index(0);
        while (handled < rounds) {
            vcpu[0]->interrupts.enter();
            const auto count = static_cast<unsigned>(guest[0].handle_all().size());
            const bool unload = (handled + count) % 3 == 0;
            handled += count;
            if (unload) {
                vcpu[0]->interrupts.exit();
            }
            if (handled < rounds) {
                sleeper.wait_for_interrupt();
            }
        }
        vcpu[0]->interrupts.exit();
    });
    fake::set_cpu_index(1);
    for (unsigned n = 0; n < rounds; n++) {
        source.assert_edge();
        while (handled <= n) {
            std::this_thread::yield(); // for ever, if a wake-up is lost
        }
    }
    cpu.join();
    EXPECT_EQ(handled, rounds);
}

TEST_F(Wakeup, BindUnbindDetachAgainstAssert) {
    make_vm(2);
    enable(40);
    VirqSource source;
    std::atomic<bool> stop{false};
    std::thread asserter([&] {
        fake::set_cpu_index(2);
        while (!stop) {
            source.assert_edge();
            source.set_level(true);
            source.set_level(false);
        }
    });
    fake::set_cpu_index(0);
    for (unsigned n = 0; n < 3000; n++) {
        ASSERT_TRUE(source.bind(*vic, {40, 0}));
        vcpu[0]->interrupts.enter();
        guest[0].handle_all();
        vcpu[0]->interrupts.exit();
        if (n % 10 == 0) {
            // A vCPU dies while others assert its interrupts.
            vcpu[0] = std::make_unique<fake::TestVcpu>();
            ASSERT_TRUE(vic->attach_vcpu(0, vcpu[0]->interrupts));
        }
        source.unbind();
    }
    stop = true;
    asserter.join();
}

TEST_F(Wakeup, DetachWaitsForThoseWhoTellTheVcpu) {
    make_vm(1);
    enable(40);
    VirqSource source;
    ASSERT_TRUE(source.bind(*vic, {40, 0}));
    std::atomic<bool> telling{false};
    std::atomic<bool> release{false};
    std::atomic<bool> detached{false};
    vcpu[0]->on_told = [&] {
        telling = true;
        while (!release) {
            std::this_thread::yield();
        }
        EXPECT_FALSE(detached);
    };
    std::thread asserter([&] {
        fake::set_cpu_index(1);
        source.assert_edge();
    });
    while (!telling) {
        std::this_thread::yield();
    }
    std::thread destroyer([&] {
        fake::set_cpu_index(2);
        vcpu[0]->interrupts.detach();
        detached = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(detached);
    release = true;
    asserter.join();
    destroyer.join();
}

/// One vCPU, random events, against a small model of what must reach the guest.
class History {
public:
    History(fake::TestVcpu& vcpu, fake::GuestInterface& guest, unsigned seed)
        : vcpu_(vcpu), guest_(guest), random_(seed) {}

    void assert_edge(std::uint32_t intid) { owed_[intid] = true; }
    void guest_step() {
        vcpu_.interrupts.enter();
        if (guest_.maintenance()) {
            vcpu_.interrupts.handle_maintenance();
            ASSERT_FALSE(guest_.maintenance());
        }
        const unsigned choice = random_() % 4;
        if (choice != 0 || active_.empty()) {
            if (const std::uint32_t intid = guest_.acknowledge(); intid != 1023) {
                ASSERT_TRUE(owed_[intid]) << intid << " was delivered without cause";
                owed_[intid] = false;
                active_.push_back(intid);
            }
        } else {
            guest_.end(active_.back());
            active_.pop_back();
        }
        if (random_() % 8 == 0) {
            vcpu_.interrupts.exit();
        }
    }
    void drain() {
        for (unsigned n = 0; n < 2000; n++) {
            vcpu_.interrupts.enter();
            if (guest_.maintenance()) {
                vcpu_.interrupts.handle_maintenance();
            }
            const std::uint32_t intid = guest_.acknowledge();
            if (intid != 1023) {
                ASSERT_TRUE(owed_[intid]);
                owed_[intid] = false;
                active_.push_back(intid);
            } else if (!active_.empty()) {
                guest_.end(active_.back());
                active_.pop_back();
            }
        }
        for (const auto& [intid, owed] : owed_) {
            EXPECT_FALSE(owed) << intid << " was lost";
        }
        EXPECT_FALSE(vcpu_.interrupts.has_deliverable());
        vcpu_.interrupts.exit();
        vcpu_.interrupts.enter();
        EXPECT_TRUE(guest_.list_registers().empty());
    }
    std::mt19937& random() { return random_; }

private:
    fake::TestVcpu& vcpu_;
    fake::GuestInterface& guest_;
    std::mt19937 random_;
    std::map<std::uint32_t, bool> owed_;
    std::vector<std::uint32_t> active_;
};

TEST_F(Wakeup, RandomHistoriesOfEdges) {
    for (unsigned seed = 0; seed < 40; seed++) {
        make_vm(1, 1 + seed % 5);
        std::vector<VirqSource> sources(12);
        History history(*vcpu[0], guest[0], seed);
        for (std::uint32_t n = 0; n < 12; n++) {
            enable(40 + n, static_cast<std::uint8_t>((history.random()() % 8) * 0x10 + 0x20));
            ASSERT_TRUE(sources[n].bind(*vic, {40 + n, 0}));
        }
        for (unsigned step = 0; step < 3000; step++) {
            if (history.random()() % 3 == 0) {
                const std::uint32_t n = history.random()() % 12;
                sources[n].assert_edge();
                history.assert_edge(40 + n);
            } else {
                history.guest_step();
            }
            if (HasFatalFailure()) {
                return;
            }
        }
        history.drain();
        ASSERT_FALSE(HasFailure()) << "seed " << seed;
        sources.clear();
        drop_vm();
    }
}

} // namespace
} // namespace hyp
