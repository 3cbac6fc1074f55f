// SPDX-License-Identifier: BSD-3-Clause
// Partitions: memory that moves between them, what objects cost, and its return.
#include "memory/partition.hpp"

#include "fake/test_machine.hpp"
#include "memory/memextent.hpp"

#include <abi/hypercall.h>

namespace hyp {
namespace {

class PartitionTest : public fake::TestMachine {
protected:
    void SetUp() override {
        TestMachine::SetUp();
        root = make_object<Partition>();
        ASSERT_TRUE(root->activate());
        child = make_object<Partition>(root);
        ASSERT_TRUE(child->activate());
    }
    void TearDown() override {
        child.clear();
        root.clear();
        TestMachine::TearDown();
    }
    static PhysRange pages(unsigned first, unsigned count) {
        return {fake::vm_ram.base + first * page_size, count * page_size};
    }
    Ref<MemExtent> extent(PhysRange range, ExtentKind kind) {
        auto made = make_object<MemExtent>();
        EXPECT_TRUE(made->paid_by(*child, 100));
        EXPECT_TRUE(
            made->configure(range.base, range.size, {GH_ACCESS_RWX, ExtentMemoryType::any, kind}));
        return made;
    }
    Ref<Partition> root, child;
};

TEST_F(PartitionTest, DonationIsBetweenParentAndChild) {
    auto other = make_object<Partition>(root);
    EXPECT_EQ(Partition::donate_to_child(*root, *other, pages(0, 1)).error(),
              rt::Error::object_state);
    ASSERT_TRUE(other->activate());
    ASSERT_TRUE(Partition::donate_to_child(*root, *child, pages(0, 4)));
    EXPECT_EQ(Partition::donate_to_child(*child, *other, pages(0, 1)).error(),
              rt::Error::argument_invalid);
    EXPECT_EQ(Partition::donate_to_child(*child, *root, pages(0, 1)).error(),
              rt::Error::argument_invalid);
    EXPECT_EQ(Partition::donate_to_child(*root, *child, pages(3, 2)).error(), rt::Error::not_owner);
    EXPECT_EQ(Partition::donate_to_child(*root, *child, pages(3, 0)).error(),
              rt::Error::argument_size);
    ASSERT_TRUE(Partition::donate_to_parent(*child, *root, pages(0, 3)));
    EXPECT_EQ(Partition::donate_to_parent(*child, *root, pages(0, 1)).error(),
              rt::Error::not_owner);
    EXPECT_EQ(ownership().owner_of(pages(2, 1).base), OwnerId::partition);
    child.clear();
    EXPECT_EQ(ownership().owner_of(pages(3, 1).base), OwnerId::partition);
}

TEST_F(PartitionTest, ObjectsCost) {
    auto object = make_object<Partition>();
    EXPECT_EQ(object->paid_by(*child, 1).error(), rt::Error::no_memory);
    ASSERT_TRUE(Partition::donate_to_child(*root, *child, pages(0, 1)));
    ASSERT_TRUE(object->paid_by(*child, 4000));
    EXPECT_FALSE(object->charge(97));
    EXPECT_TRUE(object->charge(96));
    EXPECT_EQ(Partition::donate_to_parent(*child, *root, pages(0, 1)).error(),
              rt::Error::no_memory);
    object->refund(96);
    EXPECT_TRUE(object->charge(96));
    object.clear();
    EXPECT_TRUE(Partition::donate_to_parent(*child, *root, pages(0, 1)));
}

TEST_F(PartitionTest, ExtentsTakeFromTheirPartition) {
    ASSERT_TRUE(Partition::donate_to_child(*root, *child, pages(0, 3)));
    auto outside = extent(pages(3, 1), ExtentKind::basic);
    EXPECT_EQ(outside->activate().error(), rt::Error::not_owner);
    auto sparse = extent(pages(0, 4), ExtentKind::sparse);
    EXPECT_EQ(sparse->activate().error(), rt::Error::no_memory) << "the objects themselves";
    auto basic = extent(pages(0, 2), ExtentKind::basic);
    ASSERT_TRUE(basic->activate());
    auto rest = extent(pages(2, 1), ExtentKind::sparse);
    EXPECT_EQ(rest->activate().error(), rt::Error::no_memory);
    basic.clear();
    EXPECT_EQ(Partition::donate_to_parent(*child, *root, pages(0, 3)).error(),
              rt::Error::no_memory);
    ASSERT_TRUE(Partition::donate_to_parent(*child, *root, pages(0, 2)));
}

TEST_F(PartitionTest, ObjectsKeepTheirPartition) {
    ASSERT_TRUE(Partition::donate_to_child(*root, *child, pages(0, 3)));
    auto kept = extent(pages(0, 2), ExtentKind::basic);
    ASSERT_TRUE(kept->activate());
    child.clear();
    EXPECT_NE(ownership().owner_of(pages(2, 1).base), OwnerId::partition);
    kept.clear();
    EXPECT_EQ(ownership().owner_of(pages(0, 1).base), OwnerId::partition);
    EXPECT_EQ(ownership().owner_of(pages(2, 1).base), OwnerId::partition);
}

} // namespace
} // namespace hyp
