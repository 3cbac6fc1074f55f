// SPDX-License-Identifier: BSD-3-Clause
// What the conformance program has in place of the Resource Manager: all capabilities, hypercalls
// in both forms, and fresh objects of every type and state.
#pragma once

#include <abi/error.h>
#include <abi/hypercall.h>
#include <abi/rights.h>
#include <abi/rm_boot.h>
#include <runtime/print.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace root {

using Registers = std::array<std::uint64_t, 8>;

enum class Form { native, smccc };

/// hvc #(0x6000 + number) with x0 to x7, or hvc #0 with the same from x1 on. The results stand as
/// the native form gives them: error in [0].
Registers call(Form form, unsigned number, const Registers& arguments);
/// Native, with the arguments listed.
template <typename... Values>
Registers call(unsigned number, Values... values) {
    return call(Form::native, number, Registers{static_cast<std::uint64_t>(values)...});
}
inline std::int64_t error_of(const Registers& results) {
    return static_cast<std::int64_t>(results[0]);
}

extern const gh_rm_boot* boot;

enum class Kind : std::uint8_t {
    partition,  // active: the root partition
    own_cspace, // active: our own; init: a new one
    cspace,
    addrspace,
    memextent, // basic, one page
    sparse,    // sparse, sparse_pages pages, a child of the RAM extent without memory of its own
    ram,       // active: the RAM extent itself
    thread,
    doorbell,
    msgqueue, // depth 4, size 16
    watchdog,
    vic, // one vCPU, 32 SPIs
    vpm_group,
    virtio, // two queues, eight bytes of configuration
    input,  // a configured virtio input device with two event types and axes
    hwirq,
};
enum class State : std::uint8_t { init, active };

inline constexpr std::uint64_t sparse_pages = 4;
inline constexpr std::uint64_t page_size = 4096;

/// A new capability with all rights. Fails the check if the hypervisor refuses.
std::uint64_t make(Kind kind, State state = State::active);
/// Lets clean_up() delete a capability that the check got itself.
void adopt(std::uint64_t cap);
/// A copy with fewer rights.
std::uint64_t with_rights(std::uint64_t cap, std::uint32_t rights);
/// Kills and deletes all that make() made since the last clean_up(), in reverse.
void clean_up();

/// Objects, capabilities and page-table pages there are now.
std::array<std::uint64_t, 3> counters();

/// Offset in the RAM extent of the next sparse child, and its physical address.
std::uint64_t sparse_offset();
std::uint64_t ram_base();

/// Maps an extent's first page into our own address space, readable and writable.
std::byte* look_into(std::uint64_t extent);

/// The hypervisor's console.
rt::Sink& console();

/// The virtual counter.
inline std::uint64_t ticks() {
    std::uint64_t now = 0;
    asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now));
    return now;
}
inline std::uint64_t ticks_of_ms(std::uint64_t ms) {
    std::uint64_t frequency = 0;
    asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    return frequency * ms / 1000;
}

/// Ends the running check with a sentence.
[[noreturn]] void fail_with(std::string_view text);
template <typename... Arguments>
[[noreturn]] void fail(rt::FormatString<std::type_identity_t<Arguments>...> format,
                       const Arguments&... arguments) {
    static std::array<char, 300> text;
    rt::BufferSink sink(text);
    rt::print(sink, format, arguments...);
    fail_with(sink.text());
}
inline void expect_error(const char* what, const Registers& results, std::int64_t expected) {
    if (error_of(results) != expected) {
        fail("{}: error {}, expected {}", what, error_of(results), expected);
    }
}
inline void expect_equal(const char* what, std::uint64_t actual, std::uint64_t expected) {
    if (actual != expected) {
        fail("{}: got {x}, expected {x}", what, actual, expected);
    }
}

struct Check {
    const char* name;
    void (*run)();
};
/// What this program is for: runs each of its checks by run().
void run_checks();
void run_call_table();
void run_virtio_flows();
/// Two CPUs are there.
void run_schedule_flows();
void run_migration_flows();
/// Runs each of them.
void run_all(const char* group, std::span<const Check> checks);
/// Runs one check and prints its line.
void run(const char* group, const char* name, void (*body)(const void*), const void* context);

} // namespace root
