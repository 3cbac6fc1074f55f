// SPDX-License-Identifier: BSD-3-Clause
// The EL1 virtual and physical timers (Arm ARM D12.2).
#pragma once

#include <cstdint>

namespace test {

class Timer {
public:
    /// Fires when the counter reaches the value (its line stays high until stop).
    virtual void start_at(std::uint64_t counter) = 0;
    virtual void stop() = 0;
    [[nodiscard]] virtual std::uint64_t control() const = 0;
    [[nodiscard]] virtual std::uint64_t compare() const = 0;
    [[nodiscard]] virtual std::uint32_t intid() const = 0;
    [[nodiscard]] bool condition_met() const { return (control() & 4) != 0; }

protected:
    ~Timer() = default;
};

Timer& virtual_timer();
Timer& physical_timer();

} // namespace test
