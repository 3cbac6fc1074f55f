// SPDX-License-Identifier: BSD-3-Clause
// The physical interrupt controller: a GICv3 or v4 driven from EL2 (IHI 0069).
#pragma once

#include "heap/names.hpp"

#include <arch/gic.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace hyp {

/// A mapped range of redistributor frames, as the device tree lists them.
struct GicRegion {
    std::uintptr_t base; // EL2 virtual address
    std::uint64_t size;  // bytes
};

/// EL2's own interrupts.
inline constexpr std::uint32_t sgi_reschedule = 0;
inline constexpr std::uint32_t ppi_pmu = 23; // overflow of the guest that runs
inline constexpr std::uint32_t ppi_maintenance = 25;
inline constexpr std::uint32_t ppi_hypervisor_timer = 26;
inline constexpr std::uint32_t ppi_virtual_timer = 27;  // of the guest that runs
inline constexpr std::uint32_t ppi_physical_timer = 30; // likewise

/// All interrupts are Group 1 of EL2's security state, at one priority, forwarded to one CPU
/// (never 1-of-N), and end in two steps (EOImode 1): priority_drop(), then deactivate() by EL2 or
/// by the guest that got it.
///
/// Functions named spi_* take 32..1019 and may be called on any CPU at any time: they write
/// set/clear registers, or take a leaf lock. private_* and the CPU interface act on this CPU.
class GicV3 {
public:
    static constexpr std::size_t max_regions = 16;

    /// Once, on the boot CPU: everything off and to this CPU, then on. Errors: argument_invalid
    /// (no GICv3 there, too many regions). `distributor` is an EL2 virtual address.
    Result<> init_distributor(std::uintptr_t distributor, std::span<const GicRegion> regions,
                              std::uint64_t boot_mpidr);
    /// On each CPU, before it takes interrupts: wakes its redistributor, enables EL2's own SGI and
    /// PPIs and the CPU interface, empties the virtual one. Errors: argument_invalid (no
    /// redistributor has this affinity).
    Result<> init_cpu(unsigned cpu, std::uint64_t mpidr);

    /// SPIs are numbered 32 .. spi_limit() - 1.
    [[nodiscard]] std::uint32_t spi_limit() const { return spi_limit_; }

    /// The highest-priority pending interrupt becomes active; 1023 (spurious, >= 1020) if none.
    std::uint32_t acknowledge() {
        return static_cast<std::uint32_t>(arch::icc_read_iar1() & 0xffffff);
    }
    void priority_drop(std::uint32_t intid) { arch::icc_write_eoir1(intid); }
    void deactivate(std::uint32_t intid) { arch::icc_write_dir(intid); }
    /// SGI `id` to one CPU that has been through init_cpu(). Earlier memory writes are visible to
    /// that CPU when it takes the interrupt.
    void send_sgi(unsigned cpu, std::uint32_t id);

    /// Disabling waits until the distributor no longer forwards it.
    void spi_set_enabled(std::uint32_t intid, bool enabled);
    /// Only while it is disabled is the effect defined.
    void spi_set_edge(std::uint32_t intid, bool edge);
    void spi_route(std::uint32_t intid, unsigned cpu);
    void spi_set_pending(std::uint32_t intid, bool pending);
    [[nodiscard]] bool spi_is_pending(std::uint32_t intid) const;
    void spi_set_active(std::uint32_t intid, bool active);

    void private_set_active(std::uint32_t intid, bool active);

private:
    [[nodiscard]] std::uintptr_t find_redistributor(std::uint64_t affinity) const;
    void write_bit(std::uint32_t offset, std::uint32_t intid) const;
    void wait_distributor() const;
    void init_spis(std::uint64_t boot_mpidr) const;
    static void init_private(std::uintptr_t redistributor);
    static void init_cpu_interface();

    std::uintptr_t distributor_ = 0;
    std::uint32_t spi_limit_ = 0;
    std::size_t region_count_ = 0;
    GicRegion regions_[max_regions] = {};
};

/// The machine's GIC.
GicV3& gic();

} // namespace hyp
