// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: configuration files. What is accepted prints, and reads back to the same.
#include <cstdlib>

#include "app/run_schema.hpp"
#include "libgunyah/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vmm::RunOptions options;
    try {
        vmm::apply_config(options, {reinterpret_cast<const char*>(data), size}, "fuzz.json");
    } catch (const gunyah::Error&) {
        return 0;
    }
    if (options.memory % 1024 != 0) {
        std::abort();
    }
    const std::string printed = vmm::print_config(options);
    vmm::RunOptions again;
    vmm::apply_config(again, printed, "printed.json");
    if (vmm::print_config(again) != printed) {
        std::abort();
    }
    return 0;
}
