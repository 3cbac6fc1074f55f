// SPDX-License-Identifier: BSD-3-Clause
// Sp805: the Arm PrimeCell watchdog (Arm DDI 0270, r1p0).
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "devices/mmio_device.hpp"
#include "devices/prime_cell.hpp"

namespace vmm {

// A counter that the guest must set back before it reaches zero for the second time. Its interrupt
// is not wired: Linux' driver has no use for it.
//
//   stopped --INTEN--> counting --zero--> warned --zero, RESEN--> bitten
//      ^-- INTEN off ------+-----------------+
//                 counting <--interrupt clear / load-- warned     (the counter begins anew)
class Sp805 : public MmioDevice {
public:
    static constexpr std::uint64_t register_block_size = prime_cell_size;
    static constexpr std::uint32_t clock_hz = 24'000'000; // as the device tree says

    struct Host {
        std::function<std::uint64_t()> now; // nanoseconds, steady; any thread
        // expire() is wanted at this time; nothing: never. Called with a lock held, any thread.
        std::function<void(std::optional<std::uint64_t>)> wake_at;
        std::function<void()> bite; // called by expire(), once
    };

    explicit Sp805(Host host) : host_{std::move(host)} {}

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

    // The time may have come.
    void expire();
    // While the guest is paused time stands still here.
    void freeze();
    void thaw();

private:
    enum class State { stopped, counting, warned, bitten };

    [[nodiscard]] std::uint64_t period() const;
    [[nodiscard]] std::uint64_t elapsed() const;
    [[nodiscard]] std::uint32_t value() const;
    void write_control(std::uint32_t value);
    void begin(State state);
    void set_timer();

    Host host_;
    std::mutex mutex_; // guards what follows
    State state_ = State::stopped;
    bool locked_ = false;
    std::uint32_t load_ = UINT32_MAX;
    std::uint32_t control_ = 0;
    std::uint64_t begun_ = 0;             // when the counter was loaded
    std::optional<std::uint64_t> frozen_; // when that happened
};

} // namespace vmm
