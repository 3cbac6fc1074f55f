// SPDX-License-Identifier: BSD-3-Clause
// The VIC as an object: configuration, attachment, binding, the end of its parts in any order.
#include "interrupt/vic.hpp"

#include "heap/page_allocator.hpp"
#include "interrupt/testing/test_vm.hpp"

#include <gtest/gtest.h>

namespace hyp {
namespace {

using rt::Error;

class VicObject : public fake::VicTest {};

TEST_F(VicObject, Configuration) {
    fake::reset_gic();
    vic = make_object<Vic>();
    EXPECT_EQ(vic->activate().error(), Error::object_config);
    EXPECT_EQ(vic->configure(0, 32).error(), Error::argument_invalid);
    EXPECT_EQ(vic->configure(65, 32).error(), Error::argument_invalid);
    EXPECT_EQ(vic->configure(1, 989).error(), Error::argument_invalid);
    ASSERT_TRUE(vic->configure(64, 988));
    EXPECT_EQ(vic->shared_virqs(), 988u);
    ASSERT_TRUE(vic->configure(2, 33));
    EXPECT_EQ(vic->shared_virqs(), 64u);
    EXPECT_EQ(vic->vdevice(0), nullptr);
    ASSERT_TRUE(vic->activate());
    EXPECT_EQ(vic->configure(2, 33).error(), Error::object_state);
    EXPECT_NE(vic->vdevice(0), nullptr);
    EXPECT_NE(vic->vdevice(2), nullptr);
    EXPECT_EQ(vic->vdevice(3), nullptr);
}

TEST_F(VicObject, LargestVicDeliversItsLastInterrupt) {
    fake::reset_gic();
    machine->start();
    vic = make_object<Vic>();
    ASSERT_TRUE(vic->configure(64, 988));
    ASSERT_TRUE(vic->activate());
    vcpu.push_back(std::make_unique<fake::TestVcpu>());
    ASSERT_TRUE(vic->attach_vcpu(63, vcpu[0]->interrupts));
    write(0, 0, 2);
    write(0, fake::irouter + 1019 * 8, 0x30f, 8);
    enable(1019);
    VirqSource source;
    ASSERT_TRUE(source.bind(*vic, {1019, 0}));
    source.assert_edge();
    EXPECT_EQ(vcpu[0]->told, 1u);
}

TEST_F(VicObject, AttachErrors) {
    make_vm(1);
    fake::TestVcpu one;
    EXPECT_EQ(vic->attach_vcpu(8, one.interrupts).error(), Error::argument_invalid);
    EXPECT_EQ(vic->attach_vcpu(0, one.interrupts).error(), Error::busy);
    ASSERT_TRUE(vic->attach_vcpu(5, one.interrupts));
    EXPECT_EQ(vic->attach_vcpu(6, one.interrupts).error(), Error::busy);
    Ref<Vic> inactive = make_object<Vic>();
    EXPECT_EQ(inactive->attach_vcpu(0, one.interrupts).error(), Error::object_state);
    one.interrupts.detach();
    EXPECT_TRUE(vic->attach_vcpu(5, one.interrupts));
}

TEST_F(VicObject, BindErrors) {
    make_vm(1);
    VirqSource a;
    VirqSource b;
    EXPECT_EQ(a.bind(*vic, {15, 0}).error(), Error::argument_invalid) << "SGI";
    EXPECT_EQ(a.bind(*vic, {16, 1}).error(), Error::argument_invalid) << "no such vCPU";
    EXPECT_EQ(a.bind(*vic, {32, 1}).error(), Error::argument_invalid) << "shared has no vCPU";
    EXPECT_EQ(a.bind(*vic, {128, 0}).error(), Error::argument_invalid) << "beyond the last";
    ASSERT_TRUE(a.bind(*vic, {127, 0}));
    EXPECT_TRUE(a.bound());
    EXPECT_EQ(a.bind(*vic, {126, 0}).error(), Error::virq_bound);
    EXPECT_EQ(b.bind(*vic, {127, 0}).error(), Error::busy);
    a.unbind();
    a.unbind();
    EXPECT_FALSE(a.bound());
    EXPECT_TRUE(b.bind(*vic, {127, 0}));
    Ref<Vic> inactive = make_object<Vic>();
    EXPECT_EQ(a.bind(*inactive, {127, 0}).error(), Error::object_state);
}

TEST_F(VicObject, DecodesVirqInfo) {
    const auto info = VirqInfo::decode(0x0200'0011);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->number, 0x11u);
    EXPECT_EQ(info->vcpu, 2u);
    EXPECT_EQ(VirqInfo::decode(0x1'0000'0020).error(), Error::argument_invalid);
}

TEST_F(VicObject, LevelSetBeforeBindingCounts) {
    make_vm(1);
    enable(40, 0xa0, false);
    VirqSource source;
    source.set_level(true);
    ASSERT_TRUE(source.bind(*vic, {40, 0}));
    EXPECT_EQ(vcpu[0]->told, 1u);
    enter(0);
    EXPECT_TRUE(guest[0].signalled());
}

TEST_F(VicObject, UnbindTakesPendingBack) {
    make_vm(1);
    enable(40);
    VirqSource source;
    ASSERT_TRUE(source.bind(*vic, {40, 0}));
    source.assert_edge();
    source.unbind();
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());

    ASSERT_TRUE(source.bind(*vic, {40, 0}));
    source.assert_edge();
    enter(0);
    EXPECT_TRUE(guest[0].signalled());
    source.unbind();
    enter(0);
    EXPECT_FALSE(guest[0].signalled()) << "out of the list register too";
}

TEST_F(VicObject, UnbindWhileActiveLetsTheGuestFinish) {
    make_vm(1);
    enable(40, 0xa0, false);
    VirqSource source;
    ASSERT_TRUE(source.bind(*vic, {40, 0}));
    source.set_level(true);
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 40u);
    source.unbind();
    enter(0);
    EXPECT_TRUE(bit(0, fake::isactiver, 40));
    enter(0);
    guest[0].end(40);
    EXPECT_FALSE(bit(0, fake::isactiver, 40));
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
}

TEST_F(VicObject, SourceOutlivesTheVm) {
    make_vm(1);
    VirqSource source;
    VirqSource private_source;
    ASSERT_TRUE(source.bind(*vic, {40, 0}));
    ASSERT_TRUE(private_source.bind(*vic, {20, 0}));
    enable(40);
    enable(20);
    const auto vics = Object::count(ObjectType::vic);
    drop_vm();
    EXPECT_EQ(Object::count(ObjectType::vic), vics) << "sources keep it alive";
    source.assert_edge();
    source.set_level(true);
    private_source.assert_edge();
    private_source.set_level(true);
    source.unbind();
    private_source.unbind();
    EXPECT_EQ(Object::count(ObjectType::vic), vics - 1);
}

TEST_F(VicObject, SourceEndsFirst) {
    make_vm(1);
    enable(40);
    {
        VirqSource source;
        ASSERT_TRUE(source.bind(*vic, {40, 0}));
        source.assert_edge();
    }
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    VirqSource next;
    EXPECT_TRUE(next.bind(*vic, {40, 0}));
}

TEST_F(VicObject, DetachedVcpuLosesItsInterrupts) {
    make_vm(2);
    enable(40);
    VirqSource shared;
    VirqSource own;
    ASSERT_TRUE(shared.bind(*vic, {40, 0}));
    ASSERT_TRUE(own.bind(*vic, {20, 0}));
    enable(20, 0x80);
    shared.assert_edge();
    own.assert_edge();
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 20u);
    exit(0);
    vcpu[0]->interrupts.detach();
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    EXPECT_FALSE(vcpu[0]->interrupts.vic());
    // The shared one is pending still, for whoever comes next at that affinity.
    ASSERT_TRUE(vic->attach_vcpu(0, vcpu[0]->interrupts));
    fake::set_cpu_index(0);
    vcpu[0]->interrupts.enter();
    EXPECT_EQ(fake::gic_cpu(0).vmcr, 0u) << "a new CPU interface";
    guest[0].start();
    EXPECT_EQ(guest[0].handle_all(), std::vector<std::uint32_t>{40});
    EXPECT_FALSE(bit(1, fake::isenabler, 20));
}

TEST_F(VicObject, VcpuWithoutVic) {
    make_vm(1);
    fake::TestVcpu alone;
    alone.interrupts.enter();
    EXPECT_EQ(VicCpu::current(), &alone.interrupts);
    EXPECT_FALSE(alone.interrupts.raise_hardware(27));
    EXPECT_FALSE(alone.interrupts.has_deliverable());
    alone.interrupts.handle_maintenance();
    alone.interrupts.exit();
    EXPECT_EQ(VicCpu::current(), nullptr);
    EXPECT_EQ(fake::gic_cpu(0).hcr, 0u);
}

TEST_F(VicObject, MemoryRunsOut) {
    fake::reset_gic();
    vic = make_object<Vic>();
    ASSERT_TRUE(vic->configure(64, 988));
    std::vector<void*> taken;
    while (void* page = page_allocator().allocate(0)) {
        taken.push_back(page);
    }
    EXPECT_EQ(vic->activate().error(), Error::no_memory);
    for (void* page : taken) {
        page_allocator().release(page);
    }
    EXPECT_TRUE(vic->activate());
}

} // namespace
} // namespace hyp
