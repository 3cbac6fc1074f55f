// SPDX-License-Identifier: BSD-3-Clause
// Sp805: registers by offset (DDI 0270, table 3-1), and the two times that the counter ends.
#include "devices/sp805.hpp"

#include <algorithm>

namespace vmm {
namespace {

enum Register : std::uint64_t {
    load = 0x000,
    current = 0x004,
    control = 0x008,
    interrupt_clear = 0x00c,
    raw_interrupt = 0x010,
    masked_interrupt = 0x014,
    lock = 0xc00,
};

constexpr std::uint16_t part = 0x805;
constexpr std::uint32_t interrupt_enable = 1; // and the counter
constexpr std::uint32_t reset_enable = 2;
constexpr std::uint32_t key = 0x1acc'e551; // 3.3.7
constexpr std::uint64_t second = 1'000'000'000;

} // namespace

// In nanoseconds: at most 179 s.
std::uint64_t Sp805::period() const {
    return load_ * second / clock_hz;
}

std::uint64_t Sp805::elapsed() const {
    return frozen_.value_or(host_.now()) - begun_;
}

std::uint32_t Sp805::value() const {
    if (state_ == State::stopped) {
        return load_;
    }
    const std::uint64_t gone = std::min(elapsed(), period()) * clock_hz / second;
    return load_ - static_cast<std::uint32_t>(gone);
}

std::uint64_t Sp805::read(std::uint64_t offset, unsigned /*size*/) {
    if (const auto id = prime_cell_id(offset, part, 1); id) {
        return *id;
    }
    const std::scoped_lock lock_here{mutex_};
    switch (offset) {
    case load:
        return load_;
    case current:
        return value();
    case control:
        return control_;
    case raw_interrupt:
    case masked_interrupt: // the mask is what stops the counter too
        return state_ == State::warned || state_ == State::bitten ? 1 : 0;
    case lock:
        return locked_ ? 1 : 0;
    default:
        return 0;
    }
}

void Sp805::write(std::uint64_t offset, unsigned /*size*/, std::uint64_t value) {
    const auto bits = static_cast<std::uint32_t>(value);
    const std::scoped_lock lock_here{mutex_};
    if (offset == lock) {
        locked_ = bits != key;
        return;
    }
    if (locked_ || state_ == State::bitten) {
        return;
    }
    switch (offset) {
    case load: // 3.3.1: the counter begins at once, the interrupt stays
        load_ = bits;
        begin(state_);
        break;
    case control:
        write_control(bits);
        break;
    case interrupt_clear: // 3.3.4
        begin(state_ == State::stopped ? State::stopped : State::counting);
        break;
    default:
        break;
    }
}

void Sp805::write_control(std::uint32_t value) {
    control_ = value & (interrupt_enable | reset_enable);
    const bool runs = (control_ & interrupt_enable) != 0;
    if (!runs) {
        begin(State::stopped);
    } else if (state_ == State::stopped) {
        begin(State::counting);
    } else {
        set_timer();
    }
}

void Sp805::begin(State state) {
    state_ = state;
    begun_ = frozen_.value_or(host_.now());
    set_timer();
}

void Sp805::set_timer() {
    const bool matters =
        state_ == State::counting || (state_ == State::warned && (control_ & reset_enable) != 0);
    host_.wake_at(matters && !frozen_ ? std::optional{begun_ + period()} : std::nullopt);
}

void Sp805::expire() {
    {
        const std::scoped_lock lock_here{mutex_};
        if (frozen_ || elapsed() < period()) {
            set_timer();
            return;
        }
        if (state_ == State::counting) {
            begin(State::warned);
            return;
        }
        if (state_ != State::warned || (control_ & reset_enable) == 0) {
            return;
        }
        state_ = State::bitten;
    }
    host_.bite();
}

void Sp805::freeze() {
    const std::scoped_lock lock_here{mutex_};
    if (!frozen_) {
        frozen_ = host_.now();
        set_timer();
    }
}

void Sp805::thaw() {
    const std::scoped_lock lock_here{mutex_};
    if (frozen_) {
        begun_ += host_.now() - *frozen_;
        frozen_.reset();
        set_timer();
    }
}

} // namespace vmm
