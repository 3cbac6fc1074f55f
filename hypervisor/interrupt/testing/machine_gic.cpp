// SPDX-License-Identifier: BSD-3-Clause
// The pretended physical GIC.
#include "interrupt/testing/machine_gic.hpp"

#include "interrupt/gicv3.hpp"

#include <gtest/gtest.h>

namespace hyp::fake {
namespace {

constexpr std::uint64_t region_size = 0x40000; // two CPUs of 128 KiB
constexpr std::uint64_t frame_size = 0x10000;

void change(std::set<std::uint32_t>& set, std::uint64_t offset, std::uint64_t bits, bool add) {
    for (unsigned n = 0; n < 32; n++) {
        const auto intid = static_cast<std::uint32_t>(offset * 8 + n);
        if ((bits >> n & 1) != 0 && add) {
            set.insert(intid);
        } else if ((bits >> n & 1) != 0) {
            set.erase(intid);
        }
    }
}

std::uint64_t bits(const std::set<std::uint32_t>& set, std::uint64_t offset) {
    std::uint64_t value = 0;
    for (unsigned n = 0; n < 32; n++) {
        value |= set.contains(static_cast<std::uint32_t>(offset * 8 + n)) ? 1u << n : 0;
    }
    return value;
}

void write_bank(MachineGic::Bank& bank, std::uint64_t offset, std::uint64_t value) {
    const std::uint64_t word = offset % 0x80;
    switch (offset / 0x80) {
    case 1:
        return change(bank.group1, word, value, true);
    case 2:
        return change(bank.enabled, word, value, true);
    case 3:
        return change(bank.enabled, word, value, false);
    case 4:
        return change(bank.pending, word, value, true);
    case 5:
        return change(bank.pending, word, value, false);
    case 6:
        return change(bank.active, word, value, true);
    case 7:
        return change(bank.active, word, value, false);
    default:
        break;
    }
    if (offset >= 0x400 && offset < 0x400 + MachineGic::spi_limit) {
        for (unsigned n = 0; n < 4; n++) {
            bank.priority[offset - 0x400 + n] = static_cast<std::uint8_t>(value >> (8 * n));
        }
    } else if (offset >= 0xc00 && offset < 0xc00 + MachineGic::spi_limit / 4) {
        bank.trigger[(offset - 0xc00) / 4] = static_cast<std::uint32_t>(value);
    }
}

} // namespace

MachineGic::MachineGic() {
    put_mmio(distributor_base, 0x10000, distributor_);
    put_mmio(first_region, region_size, low_);
    put_mmio(second_region, region_size, high_);
}

MachineGic::~MachineGic() {
    remove_mmio(distributor_);
    remove_mmio(low_);
    remove_mmio(high_);
}

void MachineGic::start() {
    const std::array<GicRegion, 2> regions{GicRegion{first_region, region_size},
                                           GicRegion{second_region, region_size}};
    ASSERT_TRUE(gic().init_distributor(distributor_base, regions, affinity(0)));
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        set_cpu_index(cpu);
        ASSERT_TRUE(gic().init_cpu(cpu, affinity(cpu) | 1u << 31));
    }
    set_cpu_index(0);
}

void MachineGic::deactivate(unsigned cpu, std::uint32_t intid) {
    (intid < 32 ? privates[cpu] : spis).active.erase(intid);
}

bool MachineGic::active(unsigned cpu, std::uint32_t intid) const {
    return (intid < 32 ? privates[cpu] : spis).active.contains(intid);
}

std::uint64_t MachineGic::Distributor::read(std::uint64_t offset, unsigned) {
    switch (offset) {
    case 0x0:
        return gic_.control;
    case 0x4:
        return spi_limit / 32 - 1;
    case 0xffe8:
        return 0x3b;
    default:
        break;
    }
    if (offset >= 0x200 && offset < 0x280) {
        return bits(gic_.spis.pending, offset - 0x200);
    }
    return offset >= 0xc00 && offset < 0xc00 + spi_limit / 4
               ? gic_.spis.trigger[(offset - 0xc00) / 4]
               : 0;
}

void MachineGic::Distributor::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (offset == 0) {
        gic_.control = static_cast<std::uint32_t>(value);
        gic_.control_writes.push_back(gic_.control);
    } else if (offset >= 0x6000 && offset < 0x6000 + spi_limit * 8) {
        EXPECT_EQ(size, 8u);
        gic_.route[(offset - 0x6000) / 8] = value;
    } else {
        EXPECT_EQ(size, 4u);
        write_bank(gic_.spis, offset, value);
    }
}

std::uint64_t MachineGic::Region::read(std::uint64_t offset, unsigned size) {
    const auto local = static_cast<unsigned>(offset / (2 * frame_size));
    const unsigned cpu = first_cpu_ + local;
    switch (offset % (2 * frame_size)) {
    case 0x8: {
        EXPECT_EQ(size, 8u);
        const std::uint64_t last = local == 1 ? 0x10 : 0;
        return affinity(cpu) << 32 | last;
    }
    case 0x14:
        return gic_.waker[cpu];
    default:
        return 0;
    }
}

void MachineGic::Region::write(std::uint64_t offset, unsigned, std::uint64_t value) {
    const unsigned cpu = first_cpu_ + static_cast<unsigned>(offset / (2 * frame_size));
    const std::uint64_t within = offset % (2 * frame_size);
    if (within == 0x14) {
        // Children follow the processor at once.
        gic_.waker[cpu] = (value & 2) != 0 ? 6 : 0;
    } else if (within >= frame_size) {
        write_bank(gic_.privates[cpu], within - frame_size, value);
    }
}

} // namespace hyp::fake
