// SPDX-License-Identifier: BSD-3-Clause
// The Resource Manager's log: one line per call, "[rm] " in front, on the hypervisor's console.
#pragma once

#include <runtime/panic.hpp>
#include <runtime/print.hpp>

#include <array>
#include <span>
#include <string_view>

namespace rm {

/// Lines longer than this are cut. Long enough for every sentence that RM writes.
inline constexpr std::size_t max_log_line = 320;

/// Where log lines go from now on; nullptr drops them. The sink gets one whole line per write().
void set_log_sink(rt::Sink* sink);

/// Writes "[rm] " + text + "\n" to the sink.
void write_log_line(std::string_view text);

template <typename... Arguments>
void log(rt::FormatString<std::type_identity_t<Arguments>...> format,
         const Arguments&... arguments) {
    std::array<char, max_log_line> buffer{};
    rt::BufferSink sink(buffer);
    rt::print(sink, format, arguments...);
    write_log_line(sink.text());
}

/// Stops the Resource Manager with a sentence: boot cannot go on, no request is the cause.
template <typename... Arguments>
[[noreturn]] void fatal(rt::FormatString<std::type_identity_t<Arguments>...> format,
                        const Arguments&... arguments) {
    std::array<char, max_log_line> buffer{}; // the rest stays NUL: a C string
    const std::span<char> all_but_last(buffer.data(), buffer.size() - 1);
    rt::BufferSink sink(all_but_last);
    rt::print(sink, format, arguments...);
    rt::panic(buffer.data());
}

} // namespace rm
