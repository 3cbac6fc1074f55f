// SPDX-License-Identifier: BSD-3-Clause
// Reads and writes of a virtual distributor and of virtual redistributors.
#include "interrupt/register_frames.hpp"
#include "interrupt/gic_registers.hpp"
#include "interrupt/irq_bank.hpp"
#include "interrupt/vic.hpp"
#include "interrupt/vic_cpu.hpp"
#include "interrupt/wakeups.hpp"

#include <iterator>

namespace hyp {

using namespace gic_registers;

namespace {

constexpr std::uint32_t typer_id_bits = 9u << 19; // INTIDs have ten bits
constexpr std::uint32_t typer_aff3 = 1u << 24;    // A3V
constexpr std::uint32_t typer_no_1_of_n = 1u << 25;
constexpr std::uint32_t typer_range_selector = 1u << 26;

constexpr std::uint64_t router_start = gicd_irouter + first_spi * 8;
constexpr std::uint64_t router_end = gicd_irouter + spi_end * 8;

} // namespace

std::uint32_t gic_identification(std::uint64_t offset) {
    constexpr std::uint64_t identification_start = 0xffd0;
    // PIDR4 (64 KiB, JEP106 continuation code 4) to PIDR7; PIDR0 and PIDR1 (part number 0x492,
    // JEP106 code 0x3b), PIDR2 (architecture revision 3), PIDR3; CIDR0 to CIDR3.
    constexpr std::uint8_t values[] = {0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};
    const std::uint64_t index = (offset - identification_start) / 4;
    return offset >= identification_start && index < std::size(values) ? values[index] : 0;
}

std::uint64_t Distributor::read(std::uint64_t offset, unsigned size) {
    if (is_in_bank(offset)) {
        return IrqBank(vic_).read(offset, size);
    }
    if (offset >= router_start && offset < router_end) {
        return read_route(offset - router_start, size);
    }
    if (size != 4) {
        return 0;
    }
    switch (offset) {
    case gicd_ctlr:
        return read_control();
    case gicd_typer:
        return type();
    case gicd_iidr:
        return gic_implementer;
    default:
        return gic_identification(offset);
    }
}

void Distributor::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (is_in_bank(offset)) {
        write_bank(offset, size, value);
    } else if (offset >= router_start && offset < router_end) {
        write_route(offset - router_start, size, value);
    } else if (offset == gicd_ctlr && size == 4) {
        write_control(static_cast<std::uint32_t>(value));
    }
}

// Out of line as the next ones are, so that those who dispatch need no room for an access' notes.
[[gnu::noinline]] void Distributor::write_bank(std::uint64_t offset, unsigned size,
                                               std::uint64_t value) {
    IrqBank(vic_).write(offset, size, value);
}

std::uint32_t Distributor::read_control() const {
    const LockGuard guard(vic_.lock_);
    return ctlr_one_security_state | ctlr_affinity_routing |
           (vic_.group_enabled_ ? ctlr_group1 : 0) | (vic_.group0_enabled_ ? ctlr_group0 : 0);
}

[[gnu::noinline]] void Distributor::write_control(std::uint32_t value) {
    Wakeups wakeups(VicCpu::current());
    const LockGuard guard(vic_.lock_);
    const bool enable = (value & ctlr_group1) != 0;
    const bool enable0 = (value & ctlr_group0) != 0;
    if (vic_.group_enabled_ != enable || vic_.group0_enabled_ != enable0) {
        vic_.group_enabled_ = enable;
        vic_.group0_enabled_ = enable0;
        vic_.update_all(wakeups);
    }
}

std::uint32_t Distributor::type() const {
    const std::uint32_t lines = (first_spi + vic_.shared_virqs() + 31) / 32 - 1;
    return lines | typer_id_bits | typer_aff3 | typer_no_1_of_n | typer_range_selector;
}

std::uint64_t Distributor::read_route(std::uint64_t offset, unsigned size) const {
    const std::uint64_t index = offset / 8;
    if (index >= vic_.shared_virqs() || size < 4) {
        return 0;
    }
    const LockGuard guard(vic_.lock_);
    const std::uint64_t route = vic_.shared_[index].affinity;
    return size == 8 ? route : route >> (offset % 8 * 8) & 0xffffffff;
}

[[gnu::noinline]] void Distributor::write_route(std::uint64_t offset, unsigned size,
                                                std::uint64_t value) {
    const std::uint64_t index = offset / 8;
    if (index >= vic_.shared_virqs() || size < 4) {
        return;
    }
    Wakeups wakeups(VicCpu::current());
    const LockGuard guard(vic_.lock_);
    Virq& irq = vic_.shared_[index];
    std::uint64_t route = value;
    if (size == 4) {
        const std::uint64_t shift = offset % 8 * 8;
        route = (irq.affinity & ~(std::uint64_t{0xffffffff} << shift)) | (value & 0xffffffff)
                                                                             << shift;
    }
    irq.affinity = route & affinity_mask; // no Interrupt_Routing_Mode
    if (irq.physical != 0) {
        vic_.route_hardware(irq);
    }
    vic_.update(irq, wakeups);
}

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
