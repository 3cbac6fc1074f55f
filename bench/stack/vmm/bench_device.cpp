// SPDX-License-Identifier: BSD-3-Clause
// BenchDevice: registers as bench/stack/protocol.hpp has them.
#include "bench_device.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <vector>

namespace bench {

std::uint64_t counter() {
    std::uint64_t value = 0;
    asm volatile("mrs %0, cntvct_el0" : "=r"(value) : : "memory");
    return value;
}

BenchDevice::BenchDevice(gunyah::IrqFd irq, Control& control)
    : irq_{std::move(irq)}, control_{control}, wish_{::eventfd(0, EFD_CLOEXEC)},
      ringer_{[this] { ring_when_asked(); }} {}

BenchDevice::~BenchDevice() {
    stopping_ = true;
    ::eventfd_write(wish_, 1);
    ringer_.join();
    ::close(wish_);
}

std::uint64_t BenchDevice::read(std::uint64_t /*offset*/, unsigned /*size*/) {
    return 0;
}

void BenchDevice::write(std::uint64_t offset, unsigned /*size*/, std::uint64_t value) {
    switch (offset) {
    case reg_ring_now:
        ring();
        break;
    case reg_ring_later:
        ::eventfd_write(wish_, 1);
        break;
    case reg_report:
        report(static_cast<std::uint32_t>(value));
        break;
    case reg_done:
        if (!is_done_) {
            is_done_ = true;
            done_.set_value();
        }
        break;
    default:
        break;
    }
}

void BenchDevice::ring() {
    control_.stamp = counter();
    irq_.pulse();
    control_.rung = counter();
}

void BenchDevice::ring_when_asked() {
    eventfd_t count = 0;
    while (::eventfd_read(wish_, &count) == 0 && !stopping_) {
        // Long enough that the vCPU's thread has gone to sleep.
        std::this_thread::sleep_for(std::chrono::microseconds{500});
        ring();
    }
}

void BenchDevice::report(std::uint32_t row) {
    const std::uint64_t count = control_.count;
    if (row >= row_count || count == 0 || count > most_samples) {
        std::printf("bench: the guest reports nonsense\n");
        return;
    }
    std::vector<std::uint32_t> samples(control_.samples, control_.samples + count);
    std::ranges::sort(samples);
    const std::uint32_t median = samples[count / 2];
    const std::uint64_t sum = std::accumulate(samples.begin(), samples.end(), std::uint64_t{0});
    if (row == row_empty) {
        empty_ = median;
        return;
    }
    if (row == row_mmio_write) {
        plain_exit_ = median;
    }
    const std::uint32_t base = row == row_irqfd_beyond_exit ? plain_exit_ : empty_;
    std::printf("bench %s %u min %u max %u mean %llu\n", row_names[row], median - base,
                samples.front() - base, samples.back() - base,
                static_cast<unsigned long long>(sum / count - base));
    std::fflush(stdout);
}

} // namespace bench
