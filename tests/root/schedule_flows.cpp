// SPDX-License-Identifier: BSD-3-Clause
// Affinity of vCPUs that run, and directed yields, on two CPUs.
#include "live.hpp"

#include <utility>

namespace root {

namespace {

constexpr std::uint64_t patience_ms = 10'000;

void must(const char* what, const Registers& results) {
    expect_error(what, results, GH_ERROR_OK);
}

/// Without our giving way: on the other CPU.
void expect_runs(const char* when, const Live& live) {
    const std::uint64_t before = live.counted();
    const std::uint64_t start = ticks();
    while (live.counted() == before) {
        if (ticks() - start > ticks_of_ms(patience_ms)) {
            fail("{}: the vCPU does not run", when);
        }
    }
}

/// It is on this CPU, which it gets when we yield to it and at no other time; once the other CPU
/// has let go of it. One time may be chance: the computer may have stopped the other CPU.
void expect_here(const char* when, const Live& live) {
    const std::uint64_t start = ticks();
    for (unsigned times = 0; times < 5;) {
        const std::uint64_t before = live.counted();
        spin_ms(3);
        const std::uint64_t then = live.counted();
        live.yield_to();
        times = before == then && live.counted() != then ? times + 1 : 0;
        if (ticks() - start > ticks_of_ms(patience_ms)) {
            fail("{}: the vCPU does not come to CPU 0", when);
        }
    }
}

/// Who counts when we give our turn away.
class Turns {
public:
    Turns(const Live& first, const Live& second) : a_(first), b_(second) { (void)counted(); }
    template <typename Yield>
    void nobody(const char* when, Yield yield) {
        yield();
        if (const auto [of_a, of_b] = counted(); of_a != 0 || of_b != 0) {
            fail("{}: the first counted {}, the second {}", when, of_a, of_b);
        }
    }
    /// On a busy computer a turn may be over before it began.
    template <typename Yield>
    void only(const char* when, bool is_a, Yield yield) {
        for (unsigned i = 0; i < 50; ++i) {
            yield();
            const auto [of_a, of_b] = counted();
            if ((is_a ? of_b : of_a) != 0) {
                break;
            }
            if ((is_a ? of_a : of_b) != 0) {
                return;
            }
        }
        fail("{}: no turn for the {}, or one for the other", when, is_a ? "first" : "second");
    }

private:
    std::pair<std::uint64_t, std::uint64_t> counted() {
        const std::uint64_t old_a = std::exchange(counted_a_, a_.counted());
        const std::uint64_t old_b = std::exchange(counted_b_, b_.counted());
        return {counted_a_ - old_a, counted_b_ - old_b};
    }
    const Live& a_;
    const Live& b_;
    std::uint64_t counted_a_ = 0, counted_b_ = 0;
};

void affinity_of_running() {
    Live live(1);
    live.count();
    expect_runs("on CPU 1", live);
    live.move(0);
    expect_here("moved to CPU 0", live);
    live.move(1);
    expect_runs("back on CPU 1", live);
    live.move(GH_CPU_INDEX_ANY);
    expect_runs("on any CPU", live);
    live.move(0);
    expect_here("on CPU 0 again", live);
    live.move(GH_CPU_INDEX_ANY); // it waits here; the other CPU has nothing to do
    expect_runs("taken by the idle CPU", live);
}

/// Faster than they can follow; then they are where they were told last.
void affinity_changes_race() {
    Live first(1);
    Live second(1);
    first.count();
    second.count();
    for (std::uint64_t i = 0; i < 2000; ++i) {
        constexpr std::uint64_t places[] = {0, 1, GH_CPU_INDEX_ANY, 1, 0, GH_CPU_INDEX_ANY};
        first.move(places[i % 6]);
        second.move(places[(i / 6 + i) % 6]);
        if (i % 64 == 0) {
            first.yield_to();
        }
    }
    first.move(0);
    second.move(1);
    expect_here("the first, on CPU 0", first);
    expect_runs("the second, on CPU 1", second);
    first.move(1);
    second.move(0);
    expect_here("the second, on CPU 0", second);
    expect_runs("the first, on CPU 1", first);
}

void yield_to_thread() {
    Live a(0);
    Live b(0);
    must("priority", call(GH_VCPU_SET_PRIORITY, a.vcpu, 20));
    must("priority", call(GH_VCPU_SET_PRIORITY, b.vcpu, 10));
    a.count();
    b.count();
    Turns turns(a, b);
    turns.nobody("nothing was yielded", [] { spin_ms(2); });
    for (unsigned i = 0; i < 10; ++i) {
        turns.only("to the second, of lower priority", false, [&] { b.yield_to(); });
        turns.only("to the first", true, [&] { a.yield_to(); });
    }
    turns.nobody("to our equals, of whom there are none",
                 [] { must("generic", call(GH_SCHEDULER_YIELD, GH_YIELD_GENERIC)); });
    Live elsewhere(1);
    elsewhere.count();
    expect_runs("on CPU 1", elsewhere);
    // It runs already: nothing to be done for it here.
    turns.nobody("to one that runs on CPU 1", [&] { elsewhere.yield_to(); });
}

void yield_to_lower_priority() {
    Live a(0);
    Live b(0);
    must("priority", call(GH_VCPU_SET_PRIORITY, a.vcpu, 20));
    must("priority", call(GH_VCPU_SET_PRIORITY, b.vcpu, 10));
    a.count();
    b.count();
    Turns turns(a, b);
    const auto yield_from = [](std::uint64_t priority) {
        return [priority] {
            must("yield", call(GH_SCHEDULER_YIELD, GH_YIELD_TO_LOWER_PRIORITY, priority));
        };
    };
    turns.nobody("from priority 21 on", yield_from(21));
    turns.only("from priority 20 on", true, yield_from(20));
    turns.only("the highest of all", true, yield_from(0));
    must("off", call(GH_VCPU_KILL, a.vcpu));
    turns.nobody("from priority 11 on, without the first", yield_from(11));
    turns.only("from priority 10 on", false, yield_from(10));
}

constexpr Check flows[] = {
    {"affinity_of_running", affinity_of_running},
    {"affinity_changes_race", affinity_changes_race},
    {"yield_to_thread", yield_to_thread},
    {"yield_to_lower_priority", yield_to_lower_priority},
};

} // namespace

void run_schedule_flows() {
    run_all("schedule", flows);
}

} // namespace root
