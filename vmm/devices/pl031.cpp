// SPDX-License-Identifier: BSD-3-Clause
// Pl031: registers by offset (DDI 0224, table 3-1).
#include "devices/pl031.hpp"

namespace vmm {
namespace {

enum Register : std::uint64_t {
    data = 0x00,
    match = 0x04,
    load = 0x08,
    control = 0x0c,
    interrupt_mask = 0x10,
};

constexpr std::uint16_t part = 0x031;
constexpr std::uint32_t started = 1;

} // namespace

// 3.2.1: 32 bits of seconds, which wrap in 2106.
std::uint32_t Pl031::now() const {
    return static_cast<std::uint32_t>(clock_()) + guest_ahead_;
}

std::uint64_t Pl031::read(std::uint64_t offset, unsigned /*size*/) {
    if (const auto id = prime_cell_id(offset, part, 0); id) {
        return *id;
    }
    const std::scoped_lock lock{mutex_};
    switch (offset) {
    case data:
        return now();
    case match:
        return match_;
    case load:
        return loaded_;
    case control:
        return started; // 3.2.4: it runs from the start and cannot be stopped
    case interrupt_mask:
        return interrupt_mask_;
    default:
        return 0; // interrupt status too: the alarm is not wired
    }
}

void Pl031::write(std::uint64_t offset, unsigned /*size*/, std::uint64_t value) {
    const std::scoped_lock lock{mutex_};
    switch (offset) {
    case match:
        match_ = static_cast<std::uint32_t>(value);
        break;
    case load:
        loaded_ = static_cast<std::uint32_t>(value);
        guest_ahead_ += loaded_ - now();
        break;
    case interrupt_mask:
        interrupt_mask_ = static_cast<std::uint32_t>(value) & 1;
        break;
    default:
        break;
    }
}

} // namespace vmm
