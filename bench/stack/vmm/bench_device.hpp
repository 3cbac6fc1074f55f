// SPDX-License-Identifier: BSD-3-Clause
// The device that the measuring guest talks to: rings when asked and prints what it has measured.
#pragma once

#include <cstdint>
#include <future>
#include <thread>

#include "../protocol.hpp"
#include "devices/mmio_device.hpp"
#include "libgunyah/event_fd.hpp"
#include "libgunyah/irqfd.hpp"

namespace bench {

// CNTVCT_EL0, which guest and host share.
std::uint64_t counter();

class BenchDevice final : public vmm::MmioDevice {
public:
    // `control` is in guest memory and outlives the device.
    BenchDevice(gunyah::IrqFd irq, Control& control);
    ~BenchDevice() override;

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

    // Returns when the guest has nothing more to say.
    void wait() { done_.get_future().wait(); }

private:
    void ring();
    void ring_when_asked();
    void report(std::uint32_t row);

    gunyah::IrqFd irq_;
    Control& control_;
    std::uint32_t empty_ = 0;      // what a measurement of nothing says
    std::uint32_t plain_exit_ = 0; // and one of an exit, row_mmio_write, with that
    std::promise<void> done_;
    bool is_done_ = false;
    int wish_ = -1; // a blocking eventfd: "ring later", or, with stopping_, "end"
    bool stopping_ = false;
    std::thread ringer_;
};

} // namespace bench
