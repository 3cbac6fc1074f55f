// SPDX-License-Identifier: BSD-3-Clause
// Pl031: the Arm PrimeCell real-time clock (Arm DDI 0224, r1p3).
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "devices/mmio_device.hpp"
#include "devices/prime_cell.hpp"

namespace vmm {

// Counts seconds since 1970 as the host does; a guest may set its own time, and an alarm: an
// interrupt when the counter is what it wrote to the match register, at most 2^31 s ahead.
class Pl031 : public MmioDevice {
public:
    static constexpr std::uint64_t register_block_size = prime_cell_size;

    struct Host {
        std::function<std::uint64_t()> now; // in seconds since 1970
        // expire() is wanted at this second of the host; nothing: never.
        std::function<void(std::optional<std::uint64_t>)> wake_at;
        std::function<void()> interrupt; // an edge
    };

    // All of `host` may be called with a lock held, from any thread.
    explicit Pl031(Host host) : host_{std::move(host)} {}

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

    // The time may have come.
    void expire();

private:
    [[nodiscard]] std::uint32_t now() const;
    [[nodiscard]] bool interrupts() const { return raised_ && interrupt_mask_ != 0; }
    void set_timer();
    void tell(bool interrupted_before);

    Host host_;
    std::mutex mutex_;              // guards what follows
    std::uint32_t guest_ahead_ = 0; // seconds, modulo 2^32
    std::uint32_t loaded_ = 0;
    std::uint32_t match_ = 0;
    std::optional<std::uint64_t> alarm_; // the host's second at which the counter is match_
    bool raised_ = false;
    std::uint32_t interrupt_mask_ = 0;
};

} // namespace vmm
