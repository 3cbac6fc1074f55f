// SPDX-License-Identifier: BSD-3-Clause
// A VM with every kind of object, built by hypercalls, for each of which memory runs out at each
// of its allocations. What the model does not know: vCPUs, interrupt controllers, virtio devices.
#include "starvation.hpp"
#include "world.hpp"

#include "fake/test_machine.hpp"
#include "hypercall/dispatch.hpp"
#include "schedule/scheduler.hpp"

#include <abi/rights.h>

#include <algorithm>
#include <array>
#include <vector>

namespace {

using model::Word;

class StarvedVm : public hyp::fake::TestMachine {
protected:
    void SetUp() override {
        TestMachine::SetUp();
        model::ready_hypercalls();
        pages_ = model::resources();
        cspace_ = hyp::make_object<hyp::Cspace>();
        ASSERT_TRUE(cspace_->configure(100) && cspace_->activate());
        caller_ = hyp::make_object<hyp::Vcpu>(hyp::scheduler());
        ASSERT_TRUE(caller_->attach_cspace(cspace_));
        own_ = give(cspace_);
        auto partition = hyp::make_object<hyp::Partition>();
        ASSERT_TRUE(partition->activate());
        partition_ = give(partition);
        auto ram = hyp::make_object<hyp::MemExtent>();
        ASSERT_TRUE(
            ram->configure(hyp::fake::vm_ram.base, std::uint64_t{16} << 20,
                           {GH_ACCESS_RWX, hyp::ExtentMemoryType::any, hyp::ExtentKind::sparse}));
        ASSERT_TRUE(ram->activate());
        ram_ = give(ram);
    }

    void TearDown() override {
        for (; !caps_.empty(); caps_.pop_back()) {
            EXPECT_TRUE(cspace_->remove(caps_.back()));
        }
        caller_ = {};
        cspace_ = {};
        EXPECT_EQ(model::resources(), pages_);
        TestMachine::TearDown();
    }

    template <typename T>
    Word give(const hyp::Ref<T>& object) {
        caps_.push_back(*cspace_->insert(object, GH_RIGHTS_ALL));
        return caps_.back();
    }

    /// The call's first result; it must succeed once its allocations do.
    Word call(unsigned number, std::initializer_list<Word> arguments) {
        auto& x = caller_->registers.x;
        const auto once = [&] {
            std::fill_n(x, 8, Word{0});
            std::copy(arguments.begin(), arguments.end(), x);
            const std::uint64_t x0 = hyp::hypercall(*caller_, number, 0);
            return static_cast<std::int64_t>(x0);
        };
        std::int64_t error = 0;
        const auto wrong = model::starve([&] { return error = once(); },
                                         [] { return std::optional<std::string>(); });
        EXPECT_FALSE(wrong) << "call " << number << ": " << *wrong;
        EXPECT_EQ(error, GH_ERROR_OK) << "call " << number;
        return x[1];
    }

    Word create(unsigned number) {
        caps_.push_back(call(number, {partition_, own_, 0}));
        return caps_.back();
    }
    void activate(Word cap) { (void)call(GH_OBJECT_ACTIVATE, {cap, 0}); }

    Word extent(Word pages) {
        const Word cap = create(GH_PARTITION_CREATE_MEMEXTENT);
        (void)call(GH_MEMEXTENT_CONFIGURE_DERIVE, {cap, ram_, taken_ * model::page_size,
                                                   pages * model::page_size, GH_ACCESS_RWX, 0});
        taken_ += pages;
        activate(cap);
        return cap;
    }

    hyp::Ref<hyp::Cspace> cspace_;
    hyp::Ref<hyp::Vcpu> caller_;
    std::vector<Word> caps_;
    Word own_ = 0, partition_ = 0, ram_ = 0, taken_ = 0;
    std::string pages_;
};

TEST_F(StarvedVm, EveryObjectIsBuiltOnTheSecondTry) {
    const Word spi = 40;
    const Word cspace = create(GH_PARTITION_CREATE_CSPACE);
    (void)call(GH_CSPACE_CONFIGURE, {cspace, 512, 0});
    activate(cspace);
    const Word space = create(GH_PARTITION_CREATE_ADDRSPACE);
    (void)call(GH_ADDRSPACE_CONFIGURE, {space, 0x80, 0});
    activate(space);
    (void)call(GH_ADDRSPACE_CONFIGURE_VMMIO, {space, 0x1000'0000, 0x10000, 0, 0});
    constexpr Word attributes =
        GH_ACCESS_RWX << GH_MAP_ATTR_KERNEL_SHIFT | Word{15} << GH_MAP_ATTR_MEMTYPE_SHIFT;
    (void)call(GH_ADDRSPACE_MAP, {space, extent(600), 0x8000'0000, attributes, 0, 0, 0});

    const Word vic = create(GH_PARTITION_CREATE_VIC);
    (void)call(GH_VIC_CONFIGURE, {vic, 2, 64, 0, 0});
    activate(vic);
    for (Word index = 0; index < 3; ++index) {
        (void)call(GH_ADDRSPACE_ATTACH_VDEVICE,
                   {space, vic, index, 0x2000'0000 + index * 0x10'0000, 0x10000, 0});
    }
    const Word group = create(GH_PARTITION_CREATE_VPM_GROUP);
    (void)call(GH_VPM_GROUP_CONFIGURE, {group, 0, 0});
    activate(group);
    const Word watchdog = create(GH_PARTITION_CREATE_WATCHDOG);
    (void)call(GH_WATCHDOG_CONFIGURE, {watchdog, 0, 0});
    activate(watchdog);
    for (Word index = 0; index < 2; ++index) {
        const Word vcpu = create(GH_PARTITION_CREATE_THREAD);
        (void)call(GH_VCPU_CONFIGURE, {vcpu, 0, 0});
        (void)call(GH_CSPACE_ATTACH_THREAD, {cspace, vcpu, 0});
        (void)call(GH_ADDRSPACE_ATTACH_THREAD, {space, vcpu, 0});
        (void)call(GH_VIC_ATTACH_VCPU, {vic, vcpu, index, 0});
        (void)call(GH_VPM_GROUP_ATTACH_VCPU, {group, vcpu, index, 0});
        (void)call(GH_WATCHDOG_ATTACH_VCPU, {watchdog, vcpu, 0});
        activate(vcpu);
        (void)call(GH_VCPU_BIND_VIRQ, {vcpu, vic, spi + index, GH_VCPU_VIRQ_RUN_WAKEUP, 0});
    }
    const Word bell = create(GH_PARTITION_CREATE_DOORBELL);
    activate(bell);
    (void)call(GH_DOORBELL_BIND_VIRQ, {bell, vic, spi + 2, 0});
    const Word queue = create(GH_PARTITION_CREATE_MSGQUEUE);
    (void)call(GH_MSGQUEUE_CONFIGURE, {queue, 16 | 240 << 16, 0});
    activate(queue);
    (void)call(GH_MSGQUEUE_BIND_RECEIVE_VIRQ, {queue, vic, spi + 3, 0});
    const Word page = extent(1);
    const Word device = create(GH_PARTITION_CREATE_VIRTIO_MMIO);
    (void)call(GH_VIRTIO_MMIO_CONFIGURE,
               {device, page, 4, GH_VIRTIO_OPTION_TYPE_VALID, GH_VIRTIO_DEVICE_INPUT, 136});
    (void)call(GH_VIRTIO_INPUT_CONFIGURE, {device, 0x1234, 5, 2, 2, 0});
    activate(device);
    caps_.push_back(call(GH_CSPACE_COPY_CAP_FROM, {own_, bell, own_, GH_RIGHTS_ALL, 0}));

    const model::Starved starved = model::starved();
    std::printf("%zu allocations failed, at %zu places\n", starved.allocations, starved.places);
    EXPECT_GE(starved.places, 13U);
}

} // namespace
