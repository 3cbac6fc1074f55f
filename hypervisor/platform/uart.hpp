// SPDX-License-Identifier: BSD-3-Clause
// Polled output to the UARTs that Arm machines have.
#pragma once

#include "platform/platform.hpp"

#include <cstdint>

namespace hyp {

/// Sends single characters. Its user serialises calls.
class Uart {
public:
    /// `registers`: the device as EL2 sees it; nullptr makes a UART that drops everything.
    Uart() = default;
    Uart(const UartInfo& info, void* registers);

    /// Waits a bounded time for room, then sends. After the device was stuck once it is asked only
    /// once per character, so that a dead UART cannot stop the machine.
    void put(char character);

private:
    [[nodiscard]] bool ready() const;
    [[nodiscard]] std::uint32_t read(unsigned offset) const;
    void write(unsigned offset, std::uint32_t value);

    UartInfo info_;
    volatile std::uint8_t* registers_ = nullptr;
    bool stuck_ = false;
};

} // namespace hyp
