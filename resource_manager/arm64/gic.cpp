// SPDX-License-Identifier: BSD-3-Clause
// GICv3 initialisation and acknowledgement (Arm IHI 0069, chapters 4, 9 and 12).
#include "arm64/gic.hpp"

#include "arm64/address_map.hpp"
#include "device_tree/gic_node.hpp"
#include "log/log.hpp"

#include <algorithm>

namespace rm {

namespace {

// Distributor.
constexpr std::uint64_t gicd_ctlr = 0x0000;
constexpr std::uint64_t gicd_typer = 0x0004;
constexpr std::uint64_t gicd_igroupr = 0x0080;
constexpr std::uint64_t gicd_isenabler = 0x0100;
constexpr std::uint64_t gicd_icenabler = 0x0180;
constexpr std::uint64_t gicd_icpendr = 0x0280;
constexpr std::uint64_t gicd_ipriorityr = 0x0400;
constexpr std::uint64_t gicd_icfgr = 0x0c00;
constexpr std::uint64_t gicd_irouter = 0x6000;
constexpr std::uint32_t ctlr_enable_group1 = 1U << 1;
constexpr std::uint32_t ctlr_affinity_routing = 1U << 4;
constexpr std::uint32_t ctlr_write_pending = 1U << 31;
// Redistributor.
constexpr std::uint64_t gicr_waker = 0x0014;
constexpr std::uint32_t waker_processor_sleep = 1U << 1;
constexpr std::uint32_t waker_children_asleep = 1U << 2;

constexpr std::uint32_t priority = 0xa0;
constexpr std::uint32_t first_special = 1020;
constexpr std::uint64_t affinity_mask = 0xff'00ff'ffff; // MPIDR_EL1: Aff3, Aff2..Aff0

std::uint32_t read32(std::uint64_t address) {
    std::uint32_t value = 0;
    asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

void write32(std::uint64_t address, std::uint32_t value) {
    asm volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

void write8(std::uint64_t address, std::uint32_t value) {
    asm volatile("strb %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

void write64(std::uint64_t address, std::uint64_t value) {
    asm volatile("str %0, [%1]" : : "r"(value), "r"(address) : "memory");
}

std::uint64_t distributor(std::uint64_t offset) {
    return own_distributor + offset;
}

/// The register with the bit of `intid` in a bank of one bit per interrupt.
std::uint64_t bank(std::uint64_t offset, std::uint32_t intid) {
    return distributor(offset + intid / 32 * 4);
}
std::uint32_t bit(std::uint32_t intid) {
    return 1U << (intid % 32);
}

void wait_for_distributor() {
    while ((read32(distributor(gicd_ctlr)) & ctlr_write_pending) != 0) {
    }
}

void attach(const Root& root, unsigned index, std::uint64_t ipa, std::uint64_t size) {
    const auto done =
        root.hypervisor.addrspace_attach_vdevice(root.addrspace, root.vic, index, ipa, size);
    if (!done) {
        fatal("attaching RM's own GIC: {}", done.error());
    }
}

void enable_cpu_interface() {
    asm volatile("msr s3_0_c12_c12_5, %0\n" // ICC_SRE_EL1: system registers
                 "isb\n"
                 "msr s3_0_c4_c6_0, %1\n"    // ICC_PMR_EL1: every priority
                 "msr s3_0_c12_c12_4, xzr\n" // ICC_CTLR_EL1: EOI also deactivates
                 "msr s3_0_c12_c12_7, %0\n"  // ICC_IGRPEN1_EL1
                 "isb\n"
                 :
                 : "r"(std::uint64_t{1}), "r"(std::uint64_t{0xff}));
}

} // namespace

Gic::Gic(const Root& root, VirqAllocator& virqs) : LocalInterrupts(virqs) {
    attach(root, 0, own_distributor, dt::distributor_size);
    attach(root, 1, own_redistributor, dt::redistributor_size);
    write32(distributor(gicd_ctlr), ctlr_affinity_routing);
    wait_for_distributor();
    write32(distributor(gicd_ctlr), ctlr_affinity_routing | ctlr_enable_group1);
    wait_for_distributor();
    const std::uint64_t waker = own_redistributor + gicr_waker;
    write32(waker, read32(waker) & ~waker_processor_sleep);
    while ((read32(waker) & waker_children_asleep) != 0) {
    }
    enable_cpu_interface();
    const std::uint32_t lines = (read32(distributor(gicd_typer)) & 0x1f) + 1;
    const std::uint32_t last = std::min(lines * 32 - 1, dt::last_spi);
    virqs = VirqAllocator(dt::first_spi, last);
}

void Gic::enable(std::uint32_t intid) {
    std::uint64_t mpidr = 0;
    asm volatile("mrs %0, mpidr_el1" : "=r"(mpidr));
    const std::uint64_t group = bank(gicd_igroupr, intid);
    write32(group, read32(group) | bit(intid));
    write8(distributor(gicd_ipriorityr + intid), priority);
    const std::uint64_t configuration = distributor(gicd_icfgr + intid / 16 * 4);
    write32(configuration, read32(configuration) | 2U << (intid % 16 * 2)); // edge
    write64(distributor(gicd_irouter + 8ULL * intid), mpidr & affinity_mask);
    write32(bank(gicd_icpendr, intid), bit(intid));
    write32(bank(gicd_isenabler, intid), bit(intid));
}

void Gic::disable(std::uint32_t intid) {
    write32(bank(gicd_icenabler, intid), bit(intid));
    wait_for_distributor();
    write32(bank(gicd_icpendr, intid), bit(intid));
}

std::optional<std::uint32_t> Gic::acknowledge() {
    std::uint64_t intid = 0;
    asm volatile("mrs %0, s3_0_c12_c12_0\n" // ICC_IAR1_EL1
                 "dsb sy\n"
                 : "=r"(intid)
                 :
                 : "memory");
    intid &= 0xff'ffff;
    if (intid >= first_special) {
        return std::nullopt;
    }
    asm volatile("msr s3_0_c12_c12_1, %0\n" // ICC_EOIR1_EL1
                 "isb\n"
                 :
                 : "r"(intid)
                 : "memory");
    return static_cast<std::uint32_t>(intid);
}

void Gic::wait() {
    asm volatile("dsb sy\n"
                 "wfi\n"
                 :
                 :
                 : "memory");
}

} // namespace rm
