// SPDX-License-Identifier: BSD-3-Clause
// The physical GICv3: distributor, redistributors, CPU interface (IHI 0069, chapters 4 and 12).
#include "interrupt/gicv3.hpp"

#include "heap/names.hpp"
#include "interrupt/gic_registers.hpp"
#include "interrupt/vic_cpu.hpp"

#include <arch/cpu.hpp>
#include <arch/gic.hpp>
#include <arch/mmio.hpp>
#include <runtime/panic.hpp>

#include <algorithm>
#include <array>

namespace hyp {

using arch::mmio_read32;
using arch::mmio_read64;
using arch::mmio_write32;
using arch::mmio_write64;
using namespace gic_registers;

namespace {

constexpr std::uint32_t default_priorities = 0xa0a0a0a0;
constexpr std::uint64_t lowest_mask = 0xff;
constexpr std::uint64_t icc_ctlr_eoimode = 1u << 1;

// A GIC that does not answer for this many reads never will.
constexpr unsigned patience = 10'000'000;

struct Cpu {
    std::uintptr_t redistributor = 0; // RD_base
    std::uint64_t affinity = 0;
};

GicV3 instance;
std::array<Cpu, max_cpus> cpus;
Spinlock trigger_lock; // GICD_ICFGR holds sixteen interrupts' settings; a leaf

void wait_clear(std::uintptr_t address, std::uint32_t mask, const char* reason) {
    for (unsigned n = 0; n < patience; n++) {
        if ((mmio_read32(address) & mask) == 0) {
            return;
        }
    }
    rt::panic(reason);
}

/// The 32 interrupts from `first` on, of a distributor or an SGI_base frame: off, and in Group 1.
void init_word(std::uintptr_t frame, std::uint32_t first) {
    const std::uintptr_t base = frame + first / 8;
    mmio_write32(base + clear_enable, ~0u);
    mmio_write32(base + clear_pending, ~0u);
    mmio_write32(base + clear_active, ~0u);
    mmio_write32(base + group, ~0u);
    mmio_write32(base + group_modifier, 0);
    for (std::uint32_t intid = first; intid < first + 32; intid += 4) {
        mmio_write32(frame + priority + intid, default_priorities);
    }
}

} // namespace

GicV3& gic() {
    return instance;
}

Result<> GicV3::init_distributor(std::uintptr_t distributor, std::span<const GicRegion> regions,
                                 std::uint64_t boot_mpidr) {
    const std::uint32_t revision = mmio_read32(distributor + pidr2) >> 4 & 0xf;
    RT_FAIL_IF((revision != 3 && revision != 4) || regions.empty() || regions.size() > max_regions,
               Error::argument_invalid);
    distributor_ = distributor;
    region_count_ = regions.size();
    std::ranges::copy(regions, regions_);
    const std::uint32_t typer = mmio_read32(distributor_ + gicd_typer);
    spi_limit_ = ((typer & 0x1f) + 1) * 32;
    spi_limit_ = spi_limit_ < 1020 ? spi_limit_ : 1020;

    mmio_write32(distributor_ + gicd_ctlr, 0);
    wait_distributor();
    // Routing by affinity must be on before the routes are written.
    mmio_write32(distributor_ + gicd_ctlr, ctlr_affinity_routing);
    wait_distributor();
    init_spis(boot_mpidr);
    mmio_write32(distributor_ + gicd_ctlr, ctlr_affinity_routing | ctlr_group1);
    wait_distributor();
    return {};
}

void GicV3::init_spis(std::uint64_t boot_mpidr) const {
    for (std::uint32_t first = first_spi; first < spi_limit_; first += 32) {
        init_word(distributor_, first);
    }
    wait_distributor();
    for (std::uint32_t intid = first_spi; intid < spi_limit_; intid++) {
        mmio_write64(distributor_ + gicd_irouter + intid * 8, boot_mpidr & affinity_mask);
    }
}

std::uintptr_t GicV3::find_redistributor(std::uint64_t affinity) const {
    for (std::size_t n = 0; n < region_count_; n++) {
        const GicRegion& region = regions_[n];
        std::uint64_t offset = 0;
        while (offset + 2 * frame_size <= region.size) {
            const std::uintptr_t frames = region.base + offset;
            const std::uint64_t typer = mmio_read64(frames + gicr_typer);
            if (typer >> 32 == packed_affinity(affinity)) {
                return frames;
            }
            if ((typer & gicr_typer_last) != 0) {
                break;
            }
            // A GICv4 has two more frames for each CPU.
            offset += (typer & gicr_typer_virtual_lpis) != 0 ? 4 * frame_size : 2 * frame_size;
        }
    }
    return 0;
}

Result<> GicV3::init_cpu(unsigned cpu, std::uint64_t mpidr) {
    const std::uint64_t affinity = mpidr & affinity_mask;
    const std::uintptr_t redistributor = find_redistributor(affinity);
    RT_FAIL_IF(redistributor == 0 || cpu >= max_cpus, Error::argument_invalid);
    cpus[cpu] = {redistributor, affinity};
    const std::uint32_t waker = mmio_read32(redistributor + gicr_waker);
    mmio_write32(redistributor + gicr_waker, waker & ~waker_processor_sleep);
    wait_clear(redistributor + gicr_waker, waker_children_asleep, "a redistributor sleeps on");
    init_private(redistributor);
    init_cpu_interface();
    VicCpu::init_cpu();
    return {};
}

void GicV3::init_private(std::uintptr_t redistributor) {
    const std::uintptr_t base = redistributor + frame_size;
    init_word(base, 0);
    wait_clear(redistributor + gicr_ctlr, gicr_ctlr_write_pending, "a redistributor hangs");
    mmio_write32(base + set_enable, 1u << sgi_reschedule | 1u << ppi_maintenance |
                                        1u << ppi_hypervisor_timer | 1u << ppi_virtual_timer |
                                        1u << ppi_physical_timer | 1u << ppi_pmu);
    arch::gic_barrier();
}

void GicV3::init_cpu_interface() {
    rt::ensure(arch::icc_enable_system_registers(), "no GIC system registers");
    arch::icc_write_pmr(lowest_mask);
    arch::icc_write_bpr1(0);
    arch::icc_write_ctlr(icc_ctlr_eoimode);
    arch::icc_write_igrpen1(1);
}

void GicV3::send_sgi(unsigned cpu, std::uint32_t id) {
    const std::uint64_t affinity = cpus[cpu].affinity;
    const std::uint64_t aff0 = affinity & 0xff; // above 15 only where there is a range selector
    rt::ensure(cpus[cpu].redistributor != 0, "an SGI to a CPU that is not there");
    arch::icc_write_sgi1r((affinity >> 32 & 0xff) << 48 | (aff0 / 16) << 44 |
                          (affinity >> 16 & 0xff) << 32 | std::uint64_t{id} << 24 |
                          (affinity >> 8 & 0xff) << 16 | std::uint64_t{1} << (aff0 % 16));
}

void GicV3::write_bit(std::uint32_t offset, std::uint32_t intid) const {
    mmio_write32(distributor_ + offset + intid / 32 * 4, 1u << (intid % 32));
}

void GicV3::wait_distributor() const {
    wait_clear(distributor_ + gicd_ctlr, ctlr_write_pending, "the distributor hangs");
}

void GicV3::spi_set_enabled(std::uint32_t intid, bool enabled) {
    write_bit(enabled ? set_enable : clear_enable, intid);
    if (!enabled) {
        wait_distributor();
    }
}

void GicV3::spi_set_edge(std::uint32_t intid, bool edge) {
    const std::uintptr_t address = distributor_ + trigger + intid / 16 * 4;
    const std::uint32_t bit = 2u << (intid % 16 * 2);
    const LockGuard guard(trigger_lock);
    const std::uint32_t others = mmio_read32(address) & ~bit;
    mmio_write32(address, others | (edge ? bit : 0));
}

void GicV3::spi_route(std::uint32_t intid, unsigned cpu) {
    if (cpus[cpu].redistributor != 0) {
        mmio_write64(distributor_ + gicd_irouter + intid * 8, cpus[cpu].affinity);
    }
}

void GicV3::spi_set_pending(std::uint32_t intid, bool pending) {
    write_bit(pending ? set_pending : clear_pending, intid);
}

bool GicV3::spi_is_pending(std::uint32_t intid) const {
    return (mmio_read32(distributor_ + set_pending + intid / 32 * 4) >> (intid % 32) & 1) != 0;
}

void GicV3::spi_set_active(std::uint32_t intid, bool active) {
    write_bit(active ? set_active : clear_active, intid);
}

void GicV3::private_set_active(std::uint32_t intid, bool active) {
    const std::uintptr_t base = cpus[cpu_index()].redistributor + frame_size;
    mmio_write32(base + (active ? set_active : clear_active), 1u << intid);
    // The timer's line is looked at again right after this.
    arch::gic_barrier();
}

} // namespace hyp
