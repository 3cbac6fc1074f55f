// SPDX-License-Identifier: BSD-3-Clause
// For host tests: the physical GIC of a pretended machine, on the fake MMIO bus.
#pragma once

#include <arch/cpu.hpp>
#include <arch/mmio.hpp>

#include <array>
#include <cstdint>
#include <set>
#include <vector>

namespace hyp::fake {

/// 96 SPIs, `cpus` redistributors in two regions. Set and clear registers act on the state below.
class MachineGic {
public:
    static constexpr std::uintptr_t distributor_base = 0x0800'0000;
    static constexpr std::uintptr_t first_region = 0x080a'0000;
    static constexpr std::uintptr_t second_region = 0x0900'0000;
    static constexpr unsigned cpus = 4;
    static constexpr std::uint32_t spi_limit = 128;

    MachineGic();
    ~MachineGic();
    MachineGic(const MachineGic&) = delete;
    MachineGic& operator=(const MachineGic&) = delete;

    /// Affinity of a CPU: two to a cluster.
    static std::uint64_t affinity(unsigned cpu) { return (cpu / 2) << 8 | (cpu % 2); }
    /// Programs it with the driver under test, on all CPUs.
    void start();
    /// What ending it on `cpu` does to an interrupt.
    void deactivate(unsigned cpu, std::uint32_t intid);
    [[nodiscard]] bool active(unsigned cpu, std::uint32_t intid) const;

    /// One distributor, or one redistributor's private interrupts.
    struct Bank {
        std::set<std::uint32_t> enabled, pending, active, group1;
        std::array<std::uint8_t, spi_limit> priority{};
        std::array<std::uint32_t, spi_limit / 16> trigger{};
    };
    Bank spis;
    std::array<Bank, cpus> privates;
    std::array<std::uint64_t, spi_limit> route{};
    std::array<std::uint32_t, cpus> waker{6, 6, 6, 6};
    std::uint32_t control = 0;
    std::vector<std::uint32_t> control_writes;

private:
    class Distributor final : public MmioDevice {
    public:
        explicit Distributor(MachineGic& gic) : gic_(gic) {}
        std::uint64_t read(std::uint64_t offset, unsigned size) override;
        void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

    private:
        MachineGic& gic_;
    };
    class Region final : public MmioDevice {
    public:
        Region(MachineGic& gic, unsigned first_cpu) : gic_(gic), first_cpu_(first_cpu) {}
        std::uint64_t read(std::uint64_t offset, unsigned size) override;
        void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

    private:
        MachineGic& gic_;
        unsigned first_cpu_;
    };

    Distributor distributor_{*this};
    Region low_{*this, 0};
    Region high_{*this, 2};
};

} // namespace hyp::fake
