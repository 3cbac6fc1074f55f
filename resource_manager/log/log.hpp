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

/// log(), which writes "[rm] " + the sentence + "\n" to the sink, and fatal(), once for all types
/// of arguments.
void log_sentence(const rt::Sentence& sentence);
[[noreturn]] void stop_with(const rt::Sentence& sentence);

template <typename... Arguments>
void log(rt::FormatString<std::type_identity_t<Arguments>...> format,
         const Arguments&... arguments) {
    rt::with_sentence(log_sentence, format.text(), arguments...);
}

/// Stops the Resource Manager with a sentence: boot cannot go on, no request is the cause.
template <typename... Arguments>
[[noreturn]] void fatal(rt::FormatString<std::type_identity_t<Arguments>...> format,
                        const Arguments&... arguments) {
    rt::with_sentence(stop_with, format.text(), arguments...);
    __builtin_unreachable(); // stop_with() does not return
}

} // namespace rm
