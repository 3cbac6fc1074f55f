// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls by HVC with the number in the instruction.
#include "arm64/hvc_hypervisor.hpp"

#include <algorithm>

extern "C" void rm_hypercall(const std::uint64_t* arguments, std::uint64_t number,
                             std::uint64_t* results);

namespace rm {

Hypervisor::Outcome HvcHypervisor::hypercall(unsigned number, const Arguments& arguments) {
    Arguments results; // NOLINT: written before it is read
    rm_hypercall(arguments.data(), number, results.data());
    return {.error = static_cast<std::int64_t>(results[0]),
            .x = {results[1], results[2], results[3], results[4]}};
}

void HypervisorConsole::write(std::string_view text) {
    constexpr std::size_t piece = 32; // GH_EXT_CONSOLE_WRITE
    while (!text.empty()) {
        const std::string_view front = text.substr(0, piece);
        (void)hypervisor_.console_write(partition_, front); // there is nowhere to complain
        text.remove_prefix(front.size());
    }
}

} // namespace rm
