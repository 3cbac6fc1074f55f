// SPDX-License-Identifier: BSD-3-Clause
// What the fake firmware throws where the real one would not return.
#pragma once

#include <cstdint>

namespace hyp::fake {

struct FirmwareEnd {
    enum class Kind : std::uint8_t { off, reset };
    Kind kind;
};

} // namespace hyp::fake
