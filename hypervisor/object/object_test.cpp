// SPDX-License-Identifier: BSD-3-Clause
// Objects: references, activation, destruction order and depth.
#include "fake/test_machine.hpp"
#include "heap/page_allocator.hpp"
#include "object/ref.hpp"

#include <arch/cpu.hpp>

#include <thread>
#include <vector>

namespace hyp {
namespace {

/// An object to have capabilities to.
class Partition final : public Object {
public:
    static constexpr ObjectType type = ObjectType::partition;
    Partition() : Object(type) {}
};

class Probe final : public Object {
public:
    static constexpr ObjectType type = ObjectType::doorbell;
    explicit Probe(int& destroyed, Ref<Object> next = {})
        : Object(type), destroyed_(destroyed), next_(std::move(next)) {}
    rt::Result<> activation;
    int activations = 0;

private:
    ~Probe() override = default;
    rt::Result<> on_activate() override {
        ++activations;
        return activation;
    }
    void on_destroy() override { ++destroyed_; }
    int& destroyed_;
    Ref<Object> next_;
};

class ObjectTest : public fake::TestMachine {
protected:
    int destroyed = 0;
};

TEST_F(ObjectTest, LastReferenceDestroys) {
    auto first = make_object<Probe>(destroyed);
    ASSERT_TRUE(first);
    EXPECT_EQ(Object::count(ObjectType::doorbell), 1U);
    Ref<Probe> second = first;
    Ref<Object> base = second;
    first.clear();
    second.clear();
    EXPECT_EQ(destroyed, 0);
    base.clear();
    EXPECT_EQ(destroyed, 1);
    EXPECT_EQ(Object::count(ObjectType::doorbell), 0U);
}

TEST_F(ObjectTest, ActivatesOnce) {
    auto probe = make_object<Probe>(destroyed);
    probe->activation = rt::fail(rt::Error::object_config);
    EXPECT_EQ(probe->activate().error(), rt::Error::object_config);
    EXPECT_FALSE(probe->is_active());
    probe->activation = {};
    EXPECT_TRUE(probe->activate());
    EXPECT_TRUE(probe->is_active());
    EXPECT_EQ(probe->activate().error(), rt::Error::object_state);
    EXPECT_EQ(probe->activations, 2);
    EXPECT_EQ(probe->reset().error(), rt::Error::unimplemented);
}

TEST_F(ObjectTest, CastKnowsTypes) {
    auto probe = make_object<Probe>(destroyed);
    EXPECT_EQ(object_cast<Probe>(probe.get()), probe.get());
    EXPECT_EQ(object_cast<Partition>(probe.get()), nullptr);
    EXPECT_EQ(object_cast<Probe>(nullptr), nullptr);
}

TEST_F(ObjectTest, LongChainsDieWithoutRecursion) {
    Ref<Object> chain;
    constexpr int length = 100000; // would overflow the stack if destruction nested
    for (int i = 0; i < length; ++i) {
        chain = make_object<Probe>(destroyed, std::move(chain));
    }
    chain.clear();
    EXPECT_EQ(destroyed, length);
}

TEST_F(ObjectTest, DeferredReleaseWaitsForDrain) {
    Probe* probe = make_object<Probe>(destroyed).detach();
    probe->release_reference_deferred();
    EXPECT_EQ(destroyed, 0);
    Object::drain_dead_objects();
    EXPECT_EQ(destroyed, 1);
}

TEST_F(ObjectTest, MisuseOfReferencesPanics) {
    auto probe = make_object<Probe>(destroyed);
    EXPECT_DEATH(
        {
            probe->release_reference();
            probe->release_reference();
        },
        "");
}

TEST_F(ObjectTest, ExhaustionGivesEmptyRef) {
    std::vector<void*> blocks;
    for (unsigned order = PageAllocator::max_order + 1; order-- > 0;) {
        while (void* block = page_allocator().allocate(order)) {
            blocks.push_back(block);
        }
    }
    EXPECT_FALSE(make_object<Probe>(destroyed));
    for (void* block : blocks) {
        page_allocator().release(block);
    }
    EXPECT_EQ(destroyed, 0);
}

TEST_F(ObjectTest, CountsReferencesFromManyThreads) {
    auto probe = make_object<Probe>(destroyed);
    std::vector<std::thread> threads;
    for (unsigned cpu = 0; cpu < 4; ++cpu) {
        threads.emplace_back([cpu, ref = probe] {
            fake::set_cpu_index(cpu + 1);
            for (int i = 0; i < 20000; ++i) {
                const Ref<Probe> copy = ref;
            }
        });
    }
    probe.clear();
    for (auto& thread : threads) {
        thread.join();
    }
    threads.clear();
    EXPECT_EQ(destroyed, 1);
}

} // namespace
} // namespace hyp
