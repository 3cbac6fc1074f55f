// SPDX-License-Identifier: BSD-3-Clause
// Random sequences of calls by three VMs on the model and on the hypervisor's core.
#include "sequences.hpp"
#include "starvation.hpp"
#include "world.hpp"

#include "fake/test_machine.hpp"

namespace {

using model::Failure;
using model::Steps;
using model::World;

constexpr std::size_t steps_between_comparisons = 125;

std::optional<Failure> run(const Steps& steps, bool starving, std::string* told) {
    World world(starving);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        auto wrong = world.make(steps[i]);
        if (told != nullptr) {
            *told += world.last() + "\n";
        }
        if (!wrong && (i + 1 == steps.size() || (i + 1) % steps_between_comparisons == 0)) {
            wrong = world.compare();
        }
        if (wrong) {
            return Failure{*wrong, i + 1};
        }
    }
    return std::nullopt;
}

class LockStep : public hyp::fake::TestMachine {};

void run_sequences(std::uint64_t wanted, bool starving) {
    const std::string wrong = model::run_sequences(
        wanted, model::first_seed(),
        [starving](const Steps& steps, std::string* told) { return run(steps, starving, told); });
    ASSERT_EQ(wrong, "");
}

TEST_F(LockStep, CoreAndModelAgree) {
    run_sequences(model::wanted_steps(), false);
    for (const auto& [call, tally] : World::tallies()) {
        std::printf("%8zu of %8zu succeeded: %s\n", tally.succeeded, tally.made, call.c_str());
        EXPECT_GE(tally.succeeded * 1000, tally.made * 5) << call << " shows little";
    }
}

TEST_F(LockStep, CallsWithoutMemoryChangeNothing) {
    const std::uint64_t steps = model::wanted_steps() / 20;
    run_sequences(steps, true);
    const model::Starved starved = model::starved();
    std::printf("%zu allocations failed, at %zu places\n", starved.allocations, starved.places);
    EXPECT_GE(starved.allocations, steps / 50);
}

} // namespace
