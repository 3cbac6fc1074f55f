// SPDX-License-Identifier: BSD-3-Clause
// What a hypercall handler is: one function per call, told its arguments, giving results or an
// error.
#pragma once

#include <runtime/result.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace hyp {

class Vcpu;

/// The arguments, x[0] being the first one in either call form: the caller's registers themselves.
struct Arguments {
    const std::uint64_t* x;
};

/// What follows the error code: x1 to x5. The first `count` are written to the caller.
struct Outputs {
    std::array<std::uint64_t, 5> x{};
    unsigned count = 0;

    Outputs() = default;
    explicit Outputs(std::uint64_t x1) : x{x1}, count(1) {}
    Outputs(std::uint64_t x1, std::uint64_t x2) : x{x1, x2}, count(2) {}
    Outputs(std::uint64_t x1, std::uint64_t x2, std::uint64_t x3) : x{x1, x2, x3}, count(3) {}
    Outputs(std::uint64_t x1, std::uint64_t x2, std::uint64_t x3, std::uint64_t x4)
        : x{x1, x2, x3, x4}, count(4) {}
    Outputs(std::uint64_t x1, std::uint64_t x2, std::uint64_t x3, std::uint64_t x4,
            std::uint64_t x5)
        : x{x1, x2, x3, x4, x5}, count(5) {}

    /// The caller's registers are written later, by whoever ends the call (vcpu_run).
    static Outputs later() {
        Outputs outputs;
        outputs.count = deferred;
        return outputs;
    }
    static constexpr unsigned deferred = ~0u;
};

/// Of the caller's registers only x0 to x17 are in memory; the others are to be left alone.
using Handler = rt::Result<Outputs> (*)(Vcpu& caller, const Arguments&);

struct HypercallEntry {
    std::uint16_t number; // abi/hypercall.h
    Handler handler;
};

/// Reserved arguments must be zero, so that a later version can give them a meaning.
inline rt::Result<> require_zero(std::uint64_t reserved) {
    if (reserved != 0) {
        return rt::fail(rt::Error::argument_invalid);
    }
    return {};
}

/// A handler's result from an operation that has none of its own.
inline rt::Result<Outputs> done(const rt::Result<>& result) {
    if (!result) {
        return rt::fail(result.error());
    }
    return Outputs{};
}

// One table per object family, each in the file named after it.
std::span<const HypercallEntry> object_calls();
std::span<const HypercallEntry> cspace_calls();
std::span<const HypercallEntry> memextent_calls();
std::span<const HypercallEntry> address_space_calls();
std::span<const HypercallEntry> doorbell_calls();
std::span<const HypercallEntry> message_queue_calls();
std::span<const HypercallEntry> vic_calls();
std::span<const HypercallEntry> hwirq_calls();
std::span<const HypercallEntry> vcpu_calls();
std::span<const HypercallEntry> vpm_group_calls();
std::span<const HypercallEntry> watchdog_calls();
std::span<const HypercallEntry> virtio_calls();
std::span<const HypercallEntry> system_calls();

} // namespace hyp
