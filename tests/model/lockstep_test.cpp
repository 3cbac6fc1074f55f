// SPDX-License-Identifier: BSD-3-Clause
// Random sequences of calls by three VMs on the model and on the hypervisor's core. A sequence that
// fails is cut down to the steps that matter, and its seed replays it.
//   GUNYAH_MODEL_STEPS=N how many steps in all, GUNYAH_MODEL_SEED=N the first sequence's seed
#include "starvation.hpp"
#include "world.hpp"

#include "fake/test_machine.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <random>

namespace {

using model::Step;
using model::World;

constexpr std::size_t steps_per_sequence = 500;
constexpr std::size_t default_steps = 200'000;
constexpr std::size_t steps_between_comparisons = 125;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

std::vector<Step> sequence_of(std::uint64_t seed) {
    std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
    std::vector<Step> steps(steps_per_sequence);
    for (Step& step : steps) {
        for (auto& number : step) {
            number = static_cast<std::uint32_t>(random());
        }
    }
    return steps;
}

/// What goes wrong, and after how many steps.
struct Failure {
    std::string text;
    std::size_t steps = 0;
};

std::optional<Failure> run(const std::vector<Step>& steps, bool starving,
                           std::string* told = nullptr) {
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

/// Leaves out whatever can be left out, ever smaller pieces.
std::vector<Step> shrink(std::vector<Step> steps, bool starving) {
    for (std::size_t piece = steps.size() / 2; piece != 0; piece /= 2) {
        for (std::size_t at = 0; at + piece <= steps.size();) {
            auto fewer = steps;
            const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
            fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(piece));
            if (run(fewer, starving)) {
                steps = std::move(fewer);
            } else {
                at += piece;
            }
        }
    }
    return steps;
}

class LockStep : public hyp::fake::TestMachine {};

/// Sequences of `wanted` steps in all, the first one from seed `first`.
void run_sequences(std::uint64_t wanted, std::uint64_t first, bool starving) {
    std::printf("%llu steps from seed %llu\n", static_cast<unsigned long long>(wanted),
                static_cast<unsigned long long>(first));
    for (std::uint64_t done = 0; done < wanted; done += steps_per_sequence) {
        const std::uint64_t seed = first + done / steps_per_sequence;
        auto steps = sequence_of(seed);
        if (const auto failure = run(steps, starving)) {
            steps.resize(failure->steps);
            steps = shrink(std::move(steps), starving);
            std::string told;
            const auto again = run(steps, starving, &told);
            FAIL() << fmt::format("seed {}: {}\n{} steps are enough:\n{}{}", seed, failure->text,
                                  steps.size(), told, again ? again->text : "it came once only");
        }
    }
}

std::uint64_t first_seed() {
    return from_environment("GUNYAH_MODEL_SEED", std::random_device{}());
}

TEST_F(LockStep, CoreAndModelAgree) {
    run_sequences(from_environment("GUNYAH_MODEL_STEPS", default_steps), first_seed(), false);
    for (const auto& [call, tally] : World::tallies()) {
        std::printf("%8zu of %8zu succeeded: %s\n", tally.succeeded, tally.made, call.c_str());
        EXPECT_GE(tally.succeeded * 1000, tally.made * 5) << call << " shows little";
    }
}

TEST_F(LockStep, CallsWithoutMemoryChangeNothing) {
    const std::uint64_t steps = from_environment("GUNYAH_MODEL_STEPS", default_steps) / 20;
    run_sequences(steps, first_seed(), true);
    const model::Starved starved = model::starved();
    std::printf("%zu allocations failed, at %zu places\n", starved.allocations, starved.places);
    EXPECT_GE(starved.allocations, steps / 50);
}

} // namespace
