// SPDX-License-Identifier: BSD-3-Clause
// Calls on vCPUs: how a manager makes one, runs it and ends it.
#include "hypercall/testing/calls_fixture.hpp"

namespace hyp {
namespace {

constexpr std::uint64_t reserved = ~std::uint64_t{0};

class VcpuCalls : public CallsTest {
protected:
    /// Attached to all of the caller's VM, not active.
    CapId make_thread(unsigned index = 1) {
        const CapId thread = create(GH_PARTITION_CREATE_THREAD);
        EXPECT_EQ(call(GH_CSPACE_ATTACH_THREAD, {cspace_, thread}), GH_ERROR_OK);
        EXPECT_EQ(call(GH_ADDRSPACE_ATTACH_THREAD, {space_, thread}), GH_ERROR_OK);
        EXPECT_EQ(call(GH_VIC_ATTACH_VCPU, {vic_, thread, index}), GH_ERROR_OK);
        EXPECT_EQ(call(GH_VPM_GROUP_ATTACH_VCPU, {group_, thread, index}), GH_ERROR_OK);
        EXPECT_EQ(call(GH_VCPU_SET_AFFINITY, {thread, 2, reserved}), GH_ERROR_ARG_INVAL);
        EXPECT_EQ(call(GH_VCPU_SET_AFFINITY, {thread, 0, 0}), GH_ERROR_ARG_INVAL);
        EXPECT_EQ(call(GH_VCPU_SET_AFFINITY, {thread, 0, reserved}), GH_ERROR_OK);
        return thread;
    }
    CapId make_guest() {
        const CapId thread = make_thread();
        EXPECT_EQ(call(GH_VCPU_BIND_VIRQ, {thread, vic_, 40, GH_VCPU_VIRQ_RUN_WAKEUP}),
                  GH_ERROR_OK);
        activate(thread);
        return thread;
    }
    /// What the caller's vcpu_run gave when it has the CPU again.
    [[nodiscard]] std::uint64_t state() const { return x(1); }
};

TEST_F(VcpuCalls, ConfigurationIsForInactiveOnes) {
    const CapId thread = make_thread();
    EXPECT_EQ(call(GH_VCPU_CONFIGURE, {thread, GH_VCPU_OPTION_DEBUG}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VCPU_CONFIGURE, {thread, 1ULL << 20}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_CONFIGURE, {thread, 0, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_SET_PRIORITY, {thread, GH_VCPU_PRIORITY_MAX + 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_SET_PRIORITY, {thread, 5}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VCPU_SET_TIMESLICE, {thread, GH_VCPU_TIMESLICE_MIN_NS - 1}),
              GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_SET_TIMESLICE, {thread, GH_VCPU_TIMESLICE_MIN_NS}), GH_ERROR_OK);
    EXPECT_EQ(object<Vcpu>(thread)->scheduling().priority, 5U);
    EXPECT_EQ(object<Vcpu>(thread)->scheduling().timeslice, GH_VCPU_TIMESLICE_MIN_NS);
    EXPECT_EQ(call(GH_VPM_GROUP_ATTACH_VCPU, {group_, thread, 2}), GH_ERROR_BUSY);
    EXPECT_EQ(call(GH_VIC_ATTACH_VCPU, {vic_, thread, 2}), GH_ERROR_BUSY);
    activate(thread);
    EXPECT_EQ(call(GH_VCPU_CONFIGURE, {thread, 0}), GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_VCPU_SET_PRIORITY, {thread, 5}), GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_VCPU_SET_TIMESLICE, {thread, GH_VCPU_TIMESLICE_MIN_NS}),
              GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_CSPACE_ATTACH_THREAD, {cspace_, thread}), GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_ADDRSPACE_ATTACH_THREAD, {space_, thread}), GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_VIC_ATTACH_VCPU, {vic_, thread, 2}), GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_VPM_GROUP_ATTACH_VCPU, {group_, thread, 2}), GH_ERROR_OBJECT_STATE);
}

TEST_F(VcpuCalls, RegistersAreWrittenWhileItIsOff) {
    const CapId thread = make_thread();
    const auto write = [&](std::uint64_t set, std::uint64_t index, std::uint64_t value) {
        return call(GH_VCPU_REGISTER_WRITE, {thread, set, index, value});
    };
    activate(thread);
    EXPECT_EQ(write(GH_VCPU_REGISTER_SET_X, 30, 7), GH_ERROR_OK);
    EXPECT_EQ(write(GH_VCPU_REGISTER_SET_X, 31, 7), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(write(GH_VCPU_REGISTER_SET_PC, 0, 0x1000), GH_ERROR_OK);
    EXPECT_EQ(write(GH_VCPU_REGISTER_SET_PC, 0, 0x1002), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(write(GH_VCPU_REGISTER_SET_SP_EL, 0, 0x10), GH_ERROR_OK);
    EXPECT_EQ(write(GH_VCPU_REGISTER_SET_SP_EL, 1, 0x20), GH_ERROR_OK);
    EXPECT_EQ(write(GH_VCPU_REGISTER_SET_SP_EL, 2, 0x20), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(write(GH_VCPU_REGISTER_SET_EXT_PV_TIME, 1, memory), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(write(99, 0, 0), GH_ERROR_ARG_INVAL);
    const auto vcpu = object<Vcpu>(thread);
    EXPECT_EQ(vcpu->registers.x[30], 7U);
    EXPECT_EQ(vcpu->registers.pc, 0x1000U);
    EXPECT_EQ(vcpu->guest.system.sp_el0, 0x10U);
    EXPECT_EQ(vcpu->guest.system.sp_el1, 0x20U);
    EXPECT_EQ(call(GH_VCPU_POWERON, {thread, 1, 2, 4}), GH_ERROR_ARG_INVAL) << "unknown flag";
    EXPECT_EQ(call(GH_VCPU_POWERON, {thread, 0x2000, 2, GH_VCPU_POWERON_PRESERVE_ENTRY}),
              GH_ERROR_OK);
    EXPECT_EQ(vcpu->registers.pc, 0x1000U);
    EXPECT_EQ(vcpu->registers.x[0], 2U);
    EXPECT_EQ(write(GH_VCPU_REGISTER_SET_X, 1, 7), GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_VCPU_POWERON, {thread, 0, 0, 0}), GH_ERROR_BUSY);
}

TEST_F(VcpuCalls, AGuestRunsOnItsCallersTime) {
    const CapId guest = make_guest();
    EXPECT_EQ(call(GH_VCPU_RUN, {guest, 0, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_RUN, {own_}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_RUN, {0}), GH_ERROR_CSPACE_CAP_NULL);
    EXPECT_EQ(call(GH_VCPU_RUN, {guest}), GH_ERROR_OK);
    EXPECT_EQ(state(), GH_VCPU_STATE_POWERED_OFF);
    EXPECT_EQ(call(GH_VCPU_POWERON, {guest, 0x4000, 0}), GH_ERROR_OK);
    call(GH_VCPU_RUN, {guest});
    const auto vcpu = object<Vcpu>(guest);
    ASSERT_TRUE(enters(vcpu));
    vcpu->wait_for_interrupt(0);
    ASSERT_TRUE(enters(caller_));
    EXPECT_EQ(x(0), GH_ERROR_OK);
    EXPECT_EQ(state(), GH_VCPU_STATE_EXPECTS_WAKEUP);
    EXPECT_EQ(call(GH_VCPU_RUN_CHECK, {guest}), GH_ERROR_OK);
    EXPECT_EQ(state(), GH_VCPU_STATE_EXPECTS_WAKEUP);
    EXPECT_EQ(call(GH_VCPU_UNBIND_VIRQ, {guest, GH_VCPU_VIRQ_RUN_WAKEUP}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VCPU_RUN, {guest}), GH_ERROR_BUSY) << "no longer by proxy";
}

TEST_F(VcpuCalls, BindingsHaveAKind) {
    const CapId thread = make_thread();
    EXPECT_EQ(call(GH_VCPU_BIND_VIRQ, {thread, vic_, 41, 7}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_UNBIND_VIRQ, {thread, 7}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_BIND_VIRQ, {thread, vic_, 41, GH_VCPU_VIRQ_HALT}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VCPU_BIND_VIRQ, {thread, vic_, 42, GH_VCPU_VIRQ_HALT}), GH_ERROR_IRQ_BOUND);
    EXPECT_EQ(call(GH_VCPU_UNBIND_VIRQ, {thread, GH_VCPU_VIRQ_HALT}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VCPU_BIND_VIRQ, {thread, vic_, ~0ULL, GH_VCPU_VIRQ_HALT}),
              GH_ERROR_ARG_INVAL);
}

TEST_F(VcpuCalls, KilledItNeverRunsAgain) {
    const CapId guest = make_guest();
    EXPECT_EQ(call(GH_VCPU_POWERON, {guest, 0x4000, 0}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VCPU_RUN_CHECK, {guest}), GH_ERROR_BUSY) << "it can run";
    EXPECT_EQ(call(GH_VCPU_KILL, {guest, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_KILL, {guest}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VCPU_RUN, {guest}), GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_VCPU_RUN_CHECK, {guest}), GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_VCPU_POWERON, {guest, 0, 0}), GH_ERROR_OBJECT_STATE);
}

TEST_F(VcpuCalls, OnlyTheCallerItselfGoesOff) {
    const CapId thread = make_thread();
    activate(thread);
    EXPECT_EQ(call(GH_VCPU_POWEROFF, {thread, 0}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_POWEROFF, {own_, 2}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VCPU_POWEROFF, {own_, 0}), GH_ERROR_DENIED) << "it is the last one";
    EXPECT_EQ(call(GH_VCPU_POWERON, {thread, 0x4000, 0}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VCPU_POWEROFF, {own_, GH_VCPU_POWEROFF_LAST}), GH_ERROR_DENIED);
    call(GH_VCPU_POWEROFF, {own_, 0});
    EXPECT_EQ(caller_->run_state(), VcpuState::off);
    EXPECT_TRUE(enters(object<Vcpu>(thread)));
}

TEST_F(VcpuCalls, YieldsOfEachKind) {
    const CapId thread = make_thread();
    EXPECT_EQ(call(GH_VCPU_SET_PRIORITY, {thread, 7}), GH_ERROR_OK);
    activate(thread);
    EXPECT_EQ(call(GH_VCPU_POWERON, {thread, 0x4000, 0}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_SCHEDULER_YIELD, {3}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_SCHEDULER_YIELD, {GH_YIELD_GENERIC, 0, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_SCHEDULER_YIELD, {GH_YIELD_GENERIC}), GH_ERROR_OK);
    EXPECT_TRUE(enters(caller_)) << "nobody of its priority waits";
    EXPECT_EQ(call(GH_SCHEDULER_YIELD, {GH_YIELD_TO_LOWER_PRIORITY, 64}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_SCHEDULER_YIELD, {GH_YIELD_TO_LOWER_PRIORITY, 8}), GH_ERROR_OK);
    EXPECT_TRUE(enters(caller_)) << "who waits is of lower priority";
    EXPECT_EQ(call(GH_SCHEDULER_YIELD, {GH_YIELD_TO_THREAD, 0}), GH_ERROR_CSPACE_CAP_NULL);
    EXPECT_EQ(call(GH_SCHEDULER_YIELD, {GH_YIELD_TO_THREAD, thread}), GH_ERROR_OK);
    EXPECT_TRUE(enters(object<Vcpu>(thread)));
}

TEST_F(VcpuCalls, TheGroupTellsWhatItDoes) {
    EXPECT_EQ(call(GH_VPM_GROUP_GET_STATE, {group_}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 1U) << "running";
    EXPECT_EQ(call(GH_VPM_GROUP_BIND_VIRQ, {group_, vic_, 43}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VPM_GROUP_UNBIND_VIRQ, {group_}), GH_ERROR_OK);
    const CapId group = create(GH_PARTITION_CREATE_VPM_GROUP);
    EXPECT_EQ(call(GH_VPM_GROUP_CONFIGURE, {group, 2}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VPM_GROUP_CONFIGURE, {group, GH_VPM_GROUP_OPTION_NO_AGGREGATION}),
              GH_ERROR_OK);
    activate(group);
    EXPECT_EQ(call(GH_VPM_GROUP_CONFIGURE, {group, 0}), GH_ERROR_OBJECT_STATE);
}

TEST_F(VcpuCalls, AWatchdogHasVcpusAndInterrupts) {
    const CapId dog = create(GH_PARTITION_CREATE_WATCHDOG);
    const CapId thread = make_thread();
    EXPECT_EQ(call(GH_WATCHDOG_CONFIGURE, {dog, 2}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_WATCHDOG_CONFIGURE, {dog, GH_WATCHDOG_OPTION_CRITICAL_BITE}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_WATCHDOG_ATTACH_VCPU, {dog, thread}), GH_ERROR_OBJECT_STATE);
    activate(dog);
    EXPECT_EQ(call(GH_WATCHDOG_ATTACH_VCPU, {dog, thread}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_WATCHDOG_ATTACH_VCPU, {dog, own_}), GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_WATCHDOG_BIND_VIRQ, {dog, vic_, 44, 0}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_WATCHDOG_BIND_VIRQ, {dog, vic_, 45, GH_WATCHDOG_BIND_BITE}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_WATCHDOG_BIND_VIRQ, {dog, vic_, 46, 2}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_WATCHDOG_UNBIND_VIRQ, {dog, 0}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_WATCHDOG_UNBIND_VIRQ, {dog, GH_WATCHDOG_BIND_BITE}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_WATCHDOG_MANAGE, {dog, 3}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_WATCHDOG_MANAGE, {dog, GH_WATCHDOG_MANAGE_FREEZE}), GH_ERROR_OK);
}

} // namespace
} // namespace hyp
