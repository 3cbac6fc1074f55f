// SPDX-License-Identifier: BSD-3-Clause
// Reads and writes of a virtual redistributor.
#include "interrupt/gic_registers.hpp"
#include "interrupt/irq_bank.hpp"
#include "interrupt/register_frames.hpp"
#include "interrupt/vic.hpp"
#include "interrupt/vic_cpu.hpp"

namespace hyp {

using namespace gic_registers;

std::uint64_t Redistributor::read(std::uint64_t offset, unsigned size) {
    if (is_in_bank(offset - frame_size)) {
        return IrqBank(*vic_, index_).read(offset - frame_size, size);
    }
    if (offset == gicr_typer && size == 8) {
        return type();
    }
    if (size != 4) {
        return 0;
    }
    switch (offset) {
    case gicr_iidr:
        return gic_implementer;
    case gicr_typer:
        return type() & 0xffffffff;
    case gicr_typer + 4:
        return type() >> 32;
    case gicr_waker:
        return read_waker();
    default:
        return gic_identification(offset % frame_size);
    }
}

void Redistributor::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (is_in_bank(offset - frame_size)) {
        IrqBank(*vic_, index_).write(offset - frame_size, size, value);
    } else if (offset == gicr_waker && size == 4) {
        write_waker(static_cast<std::uint32_t>(value));
    }
}

std::uint64_t Redistributor::type() const {
    const LockGuard guard(vic_->lock_);
    const VicCpu* cpu = vic_->cpus_[index_];
    bool last = true; // of the attached ones: the guest finds their frames side by side
    for (unsigned n = index_ + 1; n < vic_->max_vcpus(); n++) {
        last = last && vic_->cpus_[n] == nullptr;
    }
    const std::uint64_t affinity = cpu != nullptr ? cpu->affinity_ : default_affinity(index_);
    return packed_affinity(affinity) << 32 | std::uint64_t{index_} << gicr_typer_number_shift |
           (last ? gicr_typer_last : 0);
}

std::uint32_t Redistributor::read_waker() const {
    const LockGuard guard(vic_->lock_);
    const VicCpu* cpu = vic_->cpus_[index_];
    return cpu == nullptr || cpu->asleep_ ? waker_processor_sleep | waker_children_asleep : 0;
}

void Redistributor::write_waker(std::uint32_t value) {
    const LockGuard guard(vic_->lock_);
    if (VicCpu* cpu = vic_->cpus_[index_]) {
        cpu->asleep_ = (value & waker_processor_sleep) != 0;
    }
}

} // namespace hyp
