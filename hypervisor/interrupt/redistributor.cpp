// SPDX-License-Identifier: BSD-3-Clause
// Reads and writes of a virtual redistributor.
#include "interrupt/redistributor.hpp"

#include "interrupt/distributor.hpp"
#include "interrupt/irq_bank.hpp"
#include "interrupt/vic.hpp"
#include "interrupt/vic_cpu.hpp"

namespace hyp {

namespace {

constexpr std::uint64_t iidr_offset = 0x0004;
constexpr std::uint64_t typer_offset = 0x0008;
constexpr std::uint64_t waker_offset = 0x0014;
constexpr std::uint64_t identification_start = 0xffd0;
constexpr std::uint64_t sgi_base = 0x10000;
constexpr std::uint64_t bank_start = 0x0080;
constexpr std::uint64_t bank_end = 0x0d00;

constexpr std::uint64_t typer_last = 1u << 4;
constexpr unsigned typer_number_shift = 8;
constexpr std::uint32_t waker_processor_sleep = 1u << 1;
constexpr std::uint32_t waker_children_asleep = 1u << 2;

/// Aff3.Aff2.Aff1.Aff0 packed into 32 bits.
std::uint64_t packed(std::uint64_t affinity) {
    return (affinity >> 8 & 0xff000000) | (affinity & 0xffffff);
}

} // namespace

bool Redistributor::access(MmioAccess& access) {
    if ((access.offset & (access.size - 1)) != 0) {
        access.value = access.write ? access.value : 0;
    } else if (access.write) {
        write(access.offset, access.size, access.value);
    } else {
        access.value = read(access.offset, access.size);
    }
    return true;
}

std::uint64_t Redistributor::read(std::uint64_t offset, unsigned size) {
    if (offset >= sgi_base + bank_start && offset < sgi_base + bank_end) {
        return IrqBank(*vic_, index_).read(offset - sgi_base, size);
    }
    if (offset == typer_offset && size == 8) {
        return type();
    }
    if (size != 4) {
        return 0;
    }
    switch (offset) {
    case iidr_offset:
        return gic_implementer;
    case typer_offset:
        return type() & 0xffffffff;
    case typer_offset + 4:
        return type() >> 32;
    case waker_offset:
        return read_waker();
    default:
        return offset % sgi_base >= identification_start ? gic_identification(offset % sgi_base)
                                                         : 0;
    }
}

void Redistributor::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (offset >= sgi_base + bank_start && offset < sgi_base + bank_end) {
        IrqBank(*vic_, index_).write(offset - sgi_base, size, value);
    } else if (offset == waker_offset && size == 4) {
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
    return packed(affinity) << 32 | std::uint64_t{index_} << typer_number_shift |
           (last ? typer_last : 0);
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
