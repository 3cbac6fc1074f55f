// SPDX-License-Identifier: BSD-3-Clause
// Host tests of scheduling: small VMs whose vCPUs run on pretended CPUs.
#pragma once

#include "fake/test_machine.hpp"
#include "interrupt/gicv3.hpp"
#include "interrupt/testing/guest_interface.hpp"
#include "interrupt/testing/machine_gic.hpp"
#include "interrupt/vic.hpp"
#include "memory/address_space.hpp"
#include "object/cspace.hpp"
#include "schedule/scheduler.hpp"
#include "vcpu/vcpu.hpp"
#include "vcpu/vpm_group.hpp"

#include <abi/hypercall.h>
#include <arch/cpu.hpp>
#include <arch/gic.hpp>
#include <arch/guest_state.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace hyp {

/// The objects that the vCPUs of one VM share.
struct TestVm {
    Ref<Cspace> cspace = make_object<Cspace>();
    Ref<AddressSpace> memory = make_object<AddressSpace>();
    Ref<Vic> vic = make_object<Vic>();
    Ref<VpmGroup> group = make_object<VpmGroup>();

    TestVm() {
        EXPECT_TRUE(cspace->configure(64));
        EXPECT_TRUE(cspace->activate());
        EXPECT_TRUE(memory->configure(7));
        EXPECT_TRUE(memory->activate());
        EXPECT_TRUE(vic->configure(4, 64));
        EXPECT_TRUE(vic->activate());
        EXPECT_TRUE(group->activate());
    }

    struct Options {
        unsigned cpu = 0;
        unsigned priority = 32;
        bool active = true;
    };

    Ref<Vcpu> make_vcpu(unsigned index, Options options) {
        Ref<Vcpu> vcpu = make_object<Vcpu>(scheduler());
        EXPECT_TRUE(vcpu->attach_cspace(cspace));
        EXPECT_TRUE(vcpu->attach_address_space(memory));
        EXPECT_TRUE(vcpu->attach_vic(*vic, index));
        EXPECT_TRUE(vcpu->attach_group(group, index));
        vcpu->set_affinity(options.cpu);
        EXPECT_TRUE(vcpu->set_priority(options.priority));
        if (options.active) {
            EXPECT_TRUE(vcpu->activate());
        }
        return vcpu;
    }

    // What the VM's kernel writes to its distributor and to a vCPU's redistributor.
    void enable_group1() { write(0, 0x0000, 2); }
    void enable_timer_interrupt(unsigned index) { write(1 + index, 0x10100, 1u << 27); }
    void write(unsigned interface, std::uint64_t offset, std::uint32_t value) {
        MmioAccess access{.offset = offset, .size = 4, .write = true, .value = value};
        vic->vdevice(interface)->access(access);
    }
};

class ScheduleTest : public fake::TestMachine {
protected:
    void SetUp() override {
        fake::TestMachine::SetUp();
        machine_ = std::make_unique<fake::MachineGic>();
        fake::reset_gic();
        machine_->start();
        on(0);
    }

    void TearDown() override {
        machine_.reset();
        fake::TestMachine::TearDown();
    }

    /// Ends every vCPU and lets each CPU drop what it holds.
    void retire(std::vector<Ref<Vcpu>> vcpus) {
        for (const Ref<Vcpu>& vcpu : vcpus) {
            (void)vcpu->kill();
        }
        for (unsigned cpu = 0; cpu < std::max(2u, scheduler().cpu_count()); ++cpu) {
            on(cpu);
            fake::guest_hardware().on_idle = [] { throw Idle{}; };
            try {
                (void)scheduler().resume();
            } catch (const Idle&) {
            }
        }
        on(0);
    }

    std::unique_ptr<fake::MachineGic> machine_;

    /// What an idle CPU throws in tests that expect it to have nothing to do.
    struct Idle {};

    /// The vCPU that this CPU runs opens its CPU interface to interrupts of Group 1.
    static void open_cpu_interface() { fake::GuestInterface(0).start(); }
    static void on(unsigned cpu) { fake::set_cpu_index(cpu); }
    /// True if the calling CPU enters `vcpu` next.
    static bool enters(const Ref<Vcpu>& vcpu) { return scheduler().resume() == &vcpu->registers; }
    static bool idles() {
        fake::guest_hardware().on_idle = [] { throw Idle{}; };
        try {
            (void)scheduler().resume();
        } catch (const Idle&) {
            return true;
        }
        return false;
    }
};

} // namespace hyp
