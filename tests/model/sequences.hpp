// SPDX-License-Identifier: BSD-3-Clause
// Random sequences of steps made in a world, which is the real code beside its model. A sequence
// that fails is cut down to the steps that matter, and its seed replays it.
//   GUNYAH_MODEL_STEPS=N how many steps in all, GUNYAH_MODEL_SEED=N the first sequence's seed
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace model {

/// Raw numbers; what they mean depends on what exists when the step is made, so that a sequence
/// stays meaningful when others are left out of it.
using Step = std::array<std::uint32_t, 24>;
using Steps = std::vector<Step>;

inline constexpr std::size_t steps_per_sequence = 500;
inline constexpr std::size_t default_steps = 200'000;

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}
inline std::uint64_t wanted_steps() {
    return from_environment("GUNYAH_MODEL_STEPS", default_steps);
}
inline std::uint64_t first_seed() {
    return from_environment("GUNYAH_MODEL_SEED", std::random_device{}());
}

/// What goes wrong, and after how many steps.
struct Failure {
    std::string text;
    std::size_t steps = 0;
};

/// Makes the steps in a new world, and adds each in words to `told`, if there is one.
using Run = std::function<std::optional<Failure>(const Steps&, std::string* told)>;

inline Steps sequence_of(std::uint64_t seed) {
    std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
    Steps steps(steps_per_sequence);
    for (Step& step : steps) {
        for (auto& number : step) {
            number = static_cast<std::uint32_t>(random());
        }
    }
    return steps;
}

/// Leaves out whatever can be left out, ever smaller pieces.
inline Steps shrink(Steps steps, const Run& run) {
    for (std::size_t piece = steps.size() / 2; piece != 0; piece /= 2) {
        for (std::size_t at = 0; at + piece <= steps.size();) {
            auto fewer = steps;
            const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
            fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(piece));
            if (run(fewer, nullptr)) {
                steps = std::move(fewer);
            } else {
                at += piece;
            }
        }
    }
    return steps;
}

/// Sequences of `wanted` steps in all, the first one from seed `first`. Returns what failed, or
/// nothing.
inline std::string run_sequences(std::uint64_t wanted, std::uint64_t first, const Run& run) {
    std::printf("%llu steps from seed %llu\n", static_cast<unsigned long long>(wanted),
                static_cast<unsigned long long>(first));
    for (std::uint64_t done = 0; done < wanted; done += steps_per_sequence) {
        const std::uint64_t seed = first + done / steps_per_sequence;
        Steps steps = sequence_of(seed);
        if (const auto failure = run(steps, nullptr)) {
            steps.resize(failure->steps);
            steps = shrink(std::move(steps), run);
            std::string told;
            const auto again = run(steps, &told);
            return fmt::format("seed {}: {}\n{} steps are enough:\n{}{}", seed, failure->text,
                               steps.size(), told, again ? again->text : "it came once only");
        }
    }
    return {};
}

} // namespace model
