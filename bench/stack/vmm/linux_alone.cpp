// SPDX-License-Identifier: BSD-3-Clause
// No hypervisor has a part in these: how low the rows that contain the same calls can get.
#include "linux_alone.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <thread>

#include "bench_device.hpp"

namespace bench {
namespace {

constexpr unsigned quick_samples = 1000;
constexpr unsigned slow_samples = 200;

template <unsigned Count, typename Operation>
std::uint64_t median_of(Operation operation) {
    std::array<std::uint64_t, Count> samples{};
    std::ranges::generate(samples, operation);
    std::ranges::sort(samples);
    return samples[Count / 2];
}

template <typename Operation>
std::uint64_t timed(Operation operation) {
    const std::uint64_t begin = counter();
    operation();
    return counter() - begin;
}

void print(const char* row, std::uint64_t value) {
    static const std::uint64_t nothing = median_of<quick_samples>([] { return timed([] {}); });
    std::printf("bench linux_%s %llu\n", row, static_cast<unsigned long long>(value - nothing));
    std::fflush(stdout);
}

// One thread sleeps in a read; this one writes, then blocks as the irqfd's thread in the bench
// does.
std::uint64_t wake_another() {
    const int bell = ::eventfd(0, EFD_CLOEXEC);
    const int answer = ::eventfd(0, EFD_CLOEXEC);
    std::atomic<std::uint64_t> woken = 0;
    std::thread sleeper{[&] {
        eventfd_t count = 0;
        for (unsigned i = 0; i < slow_samples && ::eventfd_read(bell, &count) == 0; ++i) {
            woken = counter();
            ::eventfd_write(answer, 1);
        }
    }};
    const std::uint64_t median = median_of<slow_samples>([&] {
        std::this_thread::sleep_for(std::chrono::microseconds{500});
        eventfd_t count = 0;
        const std::uint64_t begin = counter();
        ::eventfd_write(bell, 1);
        ::eventfd_read(answer, &count);
        return woken - begin;
    });
    sleeper.join();
    ::close(bell);
    ::close(answer);
    return median;
}

} // namespace

void measure_linux_alone() {
    const int unheard = ::eventfd(0, EFD_CLOEXEC);
    const int driver = ::open("/dev/gunyah", O_RDWR | O_CLOEXEC);
    constexpr unsigned long no_command = 0;
    print("eventfd_write",
          median_of<quick_samples>([&] { return timed([&] { ::eventfd_write(unheard, 1); }); }));
    print("ioctl", median_of<quick_samples>(
                       [&] { return timed([&] { (void)::ioctl(driver, no_command); }); }));
    print("wake", wake_another());
    ::close(driver);
    ::close(unheard);
}

} // namespace bench
