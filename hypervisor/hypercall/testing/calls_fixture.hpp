// SPDX-License-Identifier: BSD-3-Clause
// CallsTest: a VM with rights to all, whose vCPU makes hypercalls by number, as a guest does.
#pragma once

#include "hypercall/dispatch.hpp"
#include "schedule/vm_fixture.hpp"

#include <abi/error.h>
#include <abi/rights.h>

#include <algorithm>
#include <initializer_list>

namespace hyp {

class CallsTest : public ScheduleTest {
protected:
    static constexpr std::uint64_t memory = 0x8000'0000; // the VM's: four pages
    static constexpr std::uint64_t pages = 4;
    static constexpr std::uint64_t nowhere = 0x9000'0000;

    void SetUp() override {
        ScheduleTest::SetUp();
        static const bool once = [] {
            init_hypercalls();
            scheduler().add_cpu(fake::MachineGic::affinity(0));
            scheduler().add_cpu(fake::MachineGic::affinity(1));
            return true;
        }();
        (void)once;
        vm_ = std::make_unique<TestVm>();
        auto partition = make_object<Partition>();
        ASSERT_TRUE(partition->activate());
        auto ram = make_object<MemExtent>();
        ASSERT_TRUE(ram->configure(fake::vm_ram.base, 16 * page_size,
                                   {GH_ACCESS_RWX, ExtentMemoryType::any, ExtentKind::sparse}));
        ASSERT_TRUE(ram->activate());
        ASSERT_TRUE(vm_->memory->map(*ram, {memory},
                                     {GH_ACCESS_RWX, GH_ACCESS_RWX, MemoryType::normal_writeback},
                                     {true, 0, pages * page_size}));
        caller_ = vm_->make_vcpu(0, {.active = false});
        ASSERT_TRUE(caller_->configure(GH_VCPU_OPTION_HLOS));
        ASSERT_TRUE(caller_->activate());
        ASSERT_TRUE(caller_->power_on(0, 0, 0));
        ASSERT_TRUE(enters(caller_));
        partition_ = give(partition);
        ram_ = give(ram);
        cspace_ = give(vm_->cspace);
        space_ = give(vm_->memory);
        vic_ = give(vm_->vic);
        group_ = give(vm_->group);
        own_ = give(caller_);
    }
    void TearDown() override {
        std::vector<Ref<Vcpu>> vcpus{caller_};
        for (const CapId cap : caps_) {
            if (auto vcpu = vm_->cspace->lookup<Vcpu>(cap, 0)) {
                vcpus.push_back(*vcpu);
            }
        }
        retire(vcpus);
        for (const CapId cap : caps_) {
            (void)vm_->cspace->remove(cap);
        }
        vcpus.clear();
        caller_ = nullptr;
        vm_ = nullptr;
        ScheduleTest::TearDown();
    }

    CapId give(const Ref<Object>& object, std::uint32_t rights = GH_RIGHTS_ALL) {
        const auto cap = vm_->cspace->insert(object, rights);
        EXPECT_TRUE(cap);
        caps_.push_back(*cap);
        return *cap;
    }
    /// The error code; results are x(1) and on.
    std::int64_t call(unsigned number, std::initializer_list<std::uint64_t> arguments) {
        auto& x = caller_->registers.x;
        std::fill_n(x, 8, std::uint64_t{0});
        std::copy(arguments.begin(), arguments.end(), x);
        write_x0(*caller_, hypercall(*caller_, number, 0));
        return static_cast<std::int64_t>(x[0]);
    }
    [[nodiscard]] std::uint64_t x(unsigned n) const { return caller_->registers.x[n]; }
    /// partition_create_*: the new object's capability.
    CapId create(unsigned number) {
        EXPECT_EQ(call(number, {partition_, cspace_, 0}), GH_ERROR_OK);
        caps_.push_back(x(1));
        return x(1);
    }
    void activate(CapId cap) { EXPECT_EQ(call(GH_OBJECT_ACTIVATE, {cap, 0}), GH_ERROR_OK); }
    template <typename T>
    Ref<T> object(CapId cap) {
        return *vm_->cspace->lookup<T>(cap, 0);
    }
    /// A byte of the VM's memory.
    static std::uint8_t& byte_at(std::uint64_t ipa) {
        return *static_cast<std::uint8_t*>(phys_to_virt(fake::vm_ram.base + (ipa - memory)));
    }

    std::unique_ptr<TestVm> vm_;
    Ref<Vcpu> caller_;
    CapId partition_ = 0, ram_ = 0, cspace_ = 0, space_ = 0, vic_ = 0, group_ = 0, own_ = 0;

private:
    std::vector<CapId> caps_;
};

} // namespace hyp
