// SPDX-License-Identifier: BSD-3-Clause
// The fake firmware: what it throws where the real one would not return, and what it knows.
#pragma once

#include <cstdint>
#include <map>

namespace hyp::fake {

struct FirmwareEnd {
    enum class Kind : std::uint8_t { off, reset };
    Kind kind;
};

/// Its Arm Architecture Service: function -> what SMCCC_ARCH_FEATURES says; empty = not there.
struct FirmwareArch {
    std::map<std::uint32_t, std::int32_t> features;
    std::uint32_t called = 0; // the last function
    std::uint64_t argument = 0;
};
FirmwareArch& firmware_arch();

} // namespace hyp::fake
