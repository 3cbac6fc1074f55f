// SPDX-License-Identifier: BSD-3-Clause
// What a hypercall handler is: one function per call, told its arguments, giving results or an
// error.
#pragma once

#include "heap/names.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/error.h>
#include <abi/hypercall.h>
#include <abi/rights.h>

#include <cstdint>
#include <expected>
#include <span>

namespace hyp {

/// The arguments, x[0] being the first one in either call form: the caller's registers themselves.
struct Arguments {
    const std::uint64_t* x;
};

inline std::uint64_t error_code(Error error) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(error));
}

/// What a handler returns, in one register: the error code for the caller's x0. Results beside it
/// are in the caller's registers already, see give().
class Outcome {
public:
    constexpr Outcome() = default; // GH_ERROR_OK
    Outcome(const std::unexpected<Error>& failure) : x0_(error_code(failure.error())) {}
    /// The caller's registers are written later, by whoever ends the call (vcpu_run).
    static Outcome later() {
        Outcome outcome;
        outcome.x0_ = deferred;
        return outcome;
    }
    [[nodiscard]] std::uint64_t x0() const { return x0_; }

    static constexpr std::uint64_t deferred = std::uint64_t{1} << 32; // no error code

private:
    std::uint64_t x0_ = GH_ERROR_OK;
};

/// Writes x0, unless that is for later.
inline void write_x0(Vcpu& caller, std::uint64_t x0) {
    if (x0 != Outcome::deferred) {
        caller.registers.x[0] = x0;
    }
}

/// Success, with results for the caller's x1 and on. The arguments are gone then.
template <typename... Values>
Outcome give(Vcpu& caller, Values... values) {
    static_assert(sizeof...(values) <= 5, "results are x1 to x5");
    unsigned i = 0;
    ((caller.registers.x[++i] = static_cast<std::uint64_t>(values)), ...);
    return {};
}

/// What is to be the caller's x0, or Outcome::deferred. Of the caller's registers only x0 to x17
/// are in memory; the others are to be left alone.
using Handler = std::uint64_t (*)(Vcpu& caller, Arguments);

/// A handler as the table wants it: with a plain number as result it is called last by who calls
/// it.
template <Outcome (*handler)(Vcpu&, Arguments)>
std::uint64_t entry(Vcpu& caller, Arguments arguments) {
    return handler(caller, arguments).x0();
}

struct HypercallEntry {
    std::uint16_t number; // abi/hypercall.h
    Handler handler;
};

/// Reserved arguments must be zero, so that a later version can give them a meaning.
inline Result<> require_zero(std::uint64_t reserved) {
    RT_FAIL_IF(reserved != 0, Error::argument_invalid);
    return {};
}

/// A handler's result from an operation that has none of its own.
inline Outcome done(const Result<>& result) {
    return result ? Outcome() : fail(result.error());
}

// One table per object family, each in the file named after it; constants.
extern const std::span<const HypercallEntry> object_calls, cspace_calls, memextent_calls,
    address_space_calls, doorbell_calls, message_queue_calls, interrupt_calls, vcpu_calls,
    vpm_group_calls, watchdog_calls, virtio_calls, system_calls;

} // namespace hyp
