// SPDX-License-Identifier: BSD-3-Clause
// A trace: what the hypervisor did lately, in a ring of records for each CPU.
#pragma once

#include "heap/names.hpp"

#include <runtime/relaxed.hpp>

#include <atomic>
#include <cstdint>

namespace hyp {

/// Classes of events, bits of trace_update_class_flags.
enum class TraceClass : std::uint8_t {
    error = 0,    ///< event: hypercall number, argument: the error it answered
    schedule = 1, ///< event: 0, argument: identity of the vCPU that is loaded
    vcpu = 2, ///< event: GH_VCPU_STATE_* that it enters (power on, end), argument: identity of the
              ///< vCPU
};
inline constexpr std::uint64_t trace_classes = 7;

struct TraceRecord {
    std::uint64_t position; // how many records its CPU wrote before
    std::uint64_t time;     // counter ticks
    std::uint64_t what;     // bits 39:32 class, 31:0 event
    std::uint64_t argument;
};

extern std::atomic<std::uint64_t> trace_flags; // the classes that are on

/// Turns classes on and off (others are ignored) and says which are on now.
std::uint64_t update_trace_flags(std::uint64_t set, std::uint64_t clear);
/// The oldest record of a CPU that is there still, from `position` on. Error: idle (none).
Result<TraceRecord> read_trace(unsigned cpu, std::uint64_t position);

void write_trace(TraceClass trace_class, std::uint32_t event, std::uint64_t argument);

inline bool is_traced(TraceClass trace_class) {
    return (rt::load_relaxed(trace_flags) >> static_cast<unsigned>(trace_class) & 1) != 0;
}

/// Any CPU, any locks but the page allocator's. Costs a load and a branch while the class is off.
inline void trace(TraceClass trace_class, std::uint32_t event, std::uint64_t argument) {
    if (is_traced(trace_class)) [[unlikely]] {
        write_trace(trace_class, event, argument);
    }
}

} // namespace hyp
