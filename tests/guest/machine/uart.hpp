// SPDX-License-Identifier: BSD-3-Clause
// Output on the board's PL011.
#pragma once

#include <runtime/print.hpp>

#include <cstdint>

namespace test {

/// Base address of the PL011's registers; nothing is printed before this is known.
void init_uart(std::uint64_t base);

/// The UART as a sink for rt::print. Newlines become CR LF.
rt::Sink& uart();

} // namespace test
