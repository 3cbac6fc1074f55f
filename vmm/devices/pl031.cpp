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
    interrupt_mask = 0x10, // 1: lets the interrupt through
    raw_interrupt = 0x14,
    masked_interrupt = 0x18,
    interrupt_clear = 0x1c,
};

constexpr std::uint16_t part = 0x031;
constexpr std::uint32_t started = 1;

} // namespace

// 3.2.1: 32 bits of seconds, which wrap in 2106.
std::uint32_t Pl031::now() const {
    return static_cast<std::uint32_t>(host_.now()) + guest_ahead_;
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
    case raw_interrupt:
        return raised_ ? 1 : 0;
    case masked_interrupt:
        return interrupts() ? 1 : 0;
    default:
        return 0;
    }
}

void Pl031::write(std::uint64_t offset, unsigned /*size*/, std::uint64_t value) {
    const std::scoped_lock lock{mutex_};
    const bool before = interrupts();
    switch (offset) {
    case match:
        match_ = static_cast<std::uint32_t>(value);
        set_timer();
        break;
    case load:
        loaded_ = static_cast<std::uint32_t>(value);
        guest_ahead_ += loaded_ - now();
        set_timer();
        break;
    case interrupt_mask:
        interrupt_mask_ = static_cast<std::uint32_t>(value) & 1;
        break;
    case interrupt_clear:
        raised_ = raised_ && (value & 1) == 0;
        break;
    default:
        break;
    }
    tell(before);
}

// What lies behind the counter comes again in 136 years.
void Pl031::set_timer() {
    const std::uint32_t ahead = match_ - now();
    alarm_ = ahead <= INT32_MAX ? std::optional{host_.now() + ahead} : std::nullopt;
    host_.wake_at(alarm_);
}

void Pl031::tell(bool interrupted_before) {
    if (interrupts() && !interrupted_before) {
        host_.interrupt();
    }
}

void Pl031::expire() {
    const std::scoped_lock lock{mutex_};
    if (alarm_ && host_.now() < *alarm_) {
        host_.wake_at(alarm_); // the host's clock was set back meanwhile
    } else if (alarm_) {
        const bool before = interrupts();
        alarm_.reset();
        raised_ = true;
        tell(before);
    }
}

} // namespace vmm
