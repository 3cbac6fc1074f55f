// SPDX-License-Identifier: BSD-3-Clause
// The time during which a vCPU was ready but did not run, and the structure in which its VM reads
// it (Arm DEN0057, section 4): revision and attributes, both zero, then nanoseconds.
#include "vcpu/vcpu.hpp"

#include <arch/guest_state.hpp>

namespace hyp {

namespace {

constexpr std::uint64_t structure_size = 64;
constexpr std::uint64_t nanoseconds_offset = 8;

std::uint64_t nanoseconds(std::uint64_t ticks) {
    constexpr std::uint64_t second = 1'000'000'000;
    const std::uint64_t frequency = arch::counter_frequency();
    return ticks / frequency * second + ticks % frequency * second / frequency;
}

} // namespace

Result<> Vcpu::set_stolen_time(std::uint64_t ipa) {
    RT_FAIL_IF(ipa % structure_size != 0, Error::argument_invalid);
    stolen_time_ipa_.store(ipa, std::memory_order_relaxed);
    return {};
}

void Vcpu::count_stolen_time() {
    const std::uint64_t ticks = arch::counter() - ready_since_;
    stolen_.store(stolen_.load(std::memory_order_relaxed) + ticks, std::memory_order_relaxed);
}

bool Vcpu::write_stolen_time() {
    const std::uint64_t ipa = stolen_time_ipa();
    published_ = stolen_.load(std::memory_order_relaxed);
    return address_space_->write_word(Ipa{ipa}, 0) &&
           address_space_->write_word(Ipa{ipa + nanoseconds_offset}, nanoseconds(published_));
}

} // namespace hyp
