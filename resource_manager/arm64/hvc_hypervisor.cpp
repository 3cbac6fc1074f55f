// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls by HVC with the number in the instruction.
#include "arm64/hvc_hypervisor.hpp"

#include <algorithm>

extern "C" void rm_hypercall(std::uint64_t* registers, std::uint64_t number);

namespace rm {

Hypervisor::Outcome HvcHypervisor::hypercall(unsigned number, const Arguments& arguments) {
    Arguments registers = arguments;
    rm_hypercall(registers.data(), number);
    return {.error = static_cast<std::int64_t>(registers[0]),
            .x = {registers[1], registers[2], registers[3], registers[4]}};
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
