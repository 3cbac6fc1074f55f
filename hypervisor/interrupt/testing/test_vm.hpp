// SPDX-License-Identifier: BSD-3-Clause
// For host tests: a VM with vCPUs and a VIC on a pretended machine of four CPUs.
#pragma once

#include "fake/test_machine.hpp"
#include "interrupt/hwirq.hpp"
#include "interrupt/testing/guest_interface.hpp"
#include "interrupt/testing/machine_gic.hpp"
#include "interrupt/vic.hpp"
#include "interrupt/vic_cpu.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace hyp::fake {

/// A vCPU that only counts what it is told.
class TestVcpu final : public VirqTarget {
public:
    void virq_pending() override {
        told++;
        if (on_told) {
            on_told();
        }
    }
    [[nodiscard]] unsigned physical_cpu() const override { return home; }

    unsigned told = 0;
    unsigned home = 0;
    std::function<void()> on_told;
    VicCpu interrupts{*this};
};

class VicTest : public TestMachine {
protected:
    void SetUp() override;
    void TearDown() override;

    /// A VIC with `vcpus` vCPUs attached (as `vcpu[n]`, guest interface of CPU n started) and 96
    /// SPIs, Group 1 enabled.
    void make_vm(unsigned vcpus, unsigned list_registers = 4);
    void drop_vm();

    /// Accesses by a vCPU that runs on this CPU. Interface 0: GICD, 1 + n: GICR of n.
    std::uint64_t read(unsigned interface, std::uint64_t offset, unsigned size = 4);
    void write(unsigned interface, std::uint64_t offset, std::uint64_t value, unsigned size = 4);
    /// Enables an interrupt (private: of vCPU `n`), with the given priority and trigger.
    void enable(std::uint32_t intid, std::uint8_t priority = 0xa0, bool edge = true,
                unsigned n = 0);
    [[nodiscard]] bool bit(unsigned interface, std::uint64_t offset, std::uint32_t intid);
    void set_bit(unsigned interface, std::uint64_t offset, std::uint32_t intid);

    /// Runs vCPU n on CPU n (of the same number) up to the point where the guest has control.
    void enter(unsigned n) {
        set_cpu_index(n);
        vcpu[n]->interrupts.enter();
    }
    void exit(unsigned n) {
        set_cpu_index(n);
        vcpu[n]->interrupts.exit();
    }

    /// Hardware interrupts 40..43; objects that live longer than a test.
    static HwIrq& line(std::uint32_t intid);

    std::unique_ptr<MachineGic> machine;
    Ref<Vic> vic;
    std::vector<std::unique_ptr<TestVcpu>> vcpu;
    std::vector<GuestInterface> guest; // guest[n] is on CPU n
};

/// Offsets that several tests use.
inline constexpr std::uint64_t sgi_frame = 0x10000;
inline constexpr std::uint64_t isenabler = 0x100;
inline constexpr std::uint64_t icenabler = 0x180;
inline constexpr std::uint64_t ispendr = 0x200;
inline constexpr std::uint64_t icpendr = 0x280;
inline constexpr std::uint64_t isactiver = 0x300;
inline constexpr std::uint64_t icactiver = 0x380;
inline constexpr std::uint64_t ipriorityr = 0x400;
inline constexpr std::uint64_t icfgr = 0xc00;
inline constexpr std::uint64_t irouter = 0x6000;

} // namespace hyp::fake
