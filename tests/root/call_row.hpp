// SPDX-License-Identifier: BSD-3-Clause
// One row of the table of calls: what a call answers, from which the runner derives what it must
// answer when one argument is wrong.
#pragma once

#include "world.hpp"

#include <array>
#include <span>

namespace root {

/// One argument of a call.
struct Argument {
    enum class Type : std::uint8_t {
        value,         // as it stands
        reserved,      // must be `value`; anything else: ARGUMENT_INVALID
        capability,    // a fresh object; variations below
        buffer,        // address of mapped memory
        sparse_offset, // the sparse child's place in the RAM extent
        ram_base,      // physical address of RAM
    };
    Type type = Type::value;
    std::uint64_t value = 0;
    Kind kind = Kind::doorbell;
    State state = State::active;
    std::uint32_t rights = 0; // each of them is needed
    bool any_type = false;    // of object: no WRONG_OBJECT_TYPE
    bool any_state = false;   // no OBJECT_STATE
    bool revoked_too = false; // a revoked capability is as good
};

constexpr Argument v(std::uint64_t value) {
    return {.value = value};
}
constexpr Argument reserved(std::uint64_t value = 0) {
    return {.type = Argument::Type::reserved, .value = value};
}
inline constexpr Argument zero = reserved();
inline constexpr Argument minus_one = reserved(~std::uint64_t{0});
inline constexpr Argument buffer{.type = Argument::Type::buffer};
inline constexpr Argument sparse_place{.type = Argument::Type::sparse_offset};
inline constexpr Argument ram_start{.type = Argument::Type::ram_base};

/// An active object, and one in its initial state.
constexpr Argument active(Kind kind, std::uint32_t rights) {
    return {.type = Argument::Type::capability, .kind = kind, .rights = rights};
}
constexpr Argument initial(Kind kind, std::uint32_t rights = GH_RIGHT_OBJECT_ACTIVATE) {
    return {
        .type = Argument::Type::capability, .kind = kind, .state = State::init, .rights = rights};
}
constexpr Argument in_any_state(Argument argument) {
    argument.any_state = true;
    return argument;
}
constexpr Argument of_any_type(Argument argument) {
    argument.any_type = true;
    argument.any_state = true;
    return argument;
}

struct Row {
    unsigned number;
    const char* name;
    std::int64_t expected;
    std::array<Argument, 8> arguments;
    const char* what = nullptr; // set: one more case of the call above, nothing is derived
};

std::span<const Row> object_rows();
std::span<const Row> communication_rows();
std::span<const Row> memory_rows();
std::span<const Row> vcpu_rows();
std::span<const Row> device_rows();

} // namespace root
