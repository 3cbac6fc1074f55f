// SPDX-License-Identifier: BSD-3-Clause
// Memory extents: configuration, derivation, donation, zeroing, the end of an extent.
#include "memory/memextent.hpp"

#include "fake/test_machine.hpp"
#include "heap/page_allocator.hpp"
#include "memory/address_space.hpp"
#include "memory/carveouts.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace hyp {
namespace {

constexpr std::uint64_t size = 64 * page_size;
constexpr PhysAddr base = fake::vm_ram.base;
constexpr ExtentAttributes sparse{GH_ACCESS_RWX, ExtentMemoryType::any, ExtentKind::sparse};
constexpr ExtentAttributes basic{GH_ACCESS_RWX, ExtentMemoryType::any, ExtentKind::basic};
constexpr MapAttributes rwx{GH_ACCESS_RWX, GH_ACCESS_RWX, MemoryType::normal_writeback};

class MemExtentTest : public fake::TestMachine {
protected:
    void SetUp() override {
        TestMachine::SetUp();
        root = make_object<MemExtent>();
        ASSERT_TRUE(root->configure(base, size, sparse));
        ASSERT_TRUE(root->activate());
        space = make_object<AddressSpace>();
        ASSERT_TRUE(space->configure(0x80));
        ASSERT_TRUE(space->activate());
    }
    void TearDown() override {
        root.clear();
        space.clear();
        TestMachine::TearDown();
    }
    static Ref<MemExtent> derive(const Ref<MemExtent>& parent, std::uint64_t offset,
                                 std::uint64_t bytes, ExtentAttributes attributes = sparse) {
        auto child = make_object<MemExtent>();
        EXPECT_TRUE(child->configure_derive(parent, offset, bytes, attributes));
        EXPECT_TRUE(child->activate());
        return child;
    }
    static rt::Result<> donate(MemExtent::DonateTo direction, const Ref<MemExtent>& from,
                               const Ref<MemExtent>& to, std::uint64_t offset,
                               std::uint64_t bytes) {
        return MemExtent::donate(direction, *from, *to, offset, bytes);
    }
    static rt::Result<> lend(const Ref<MemExtent>& from, const Ref<MemExtent>& to,
                             std::uint64_t offset, std::uint64_t bytes) {
        return donate(MemExtent::DonateTo::child, from, to, offset, bytes);
    }
    static void fill(std::uint64_t page, std::uint64_t count, int value) {
        std::memset(phys_to_virt(base + page * page_size), value, count * page_size);
    }
    static bool holds(std::uint64_t page, std::uint64_t count, int value) {
        const auto* bytes =
            static_cast<const unsigned char*>(phys_to_virt(base + page * page_size));
        return std::all_of(bytes, bytes + count * page_size,
                           [&](unsigned char byte) { return byte == value; });
    }
    static PhysRange owned(const Ref<MemExtent>& extent) {
        return ownership().first_owned(fake::vm_ram, extent->owner_id());
    }

    Ref<MemExtent> root;
    Ref<AddressSpace> space;
};

TEST_F(MemExtentTest, ConfigurationIsChecked) {
    auto extent = make_object<MemExtent>();
    EXPECT_EQ(extent->activate().error(), rt::Error::object_config);
    EXPECT_EQ(extent->configure(base + 1, size, sparse).error(), rt::Error::argument_invalid);
    EXPECT_EQ(extent->configure(base, 0, sparse).error(), rt::Error::argument_invalid);
    EXPECT_EQ(extent->configure(base, 0 - page_size, sparse).error(), rt::Error::argument_invalid);
    EXPECT_EQ(extent->configure(PhysAddr{0}, page_size, sparse).error(), rt::Error::memextent_type);
    EXPECT_TRUE(extent->configure(base, size, sparse)); // owned by `root` already
    EXPECT_EQ(extent->activate().error(), rt::Error::not_owner);
    EXPECT_TRUE(extent->configure(base + size - page_size, 2 * page_size, basic));
    EXPECT_EQ(extent->activate().error(), rt::Error::not_owner); // not all of it is free
    EXPECT_TRUE(extent->configure(base + size - page_size, 2 * page_size, sparse));
    EXPECT_TRUE(extent->activate());
    EXPECT_EQ(owned(extent), (PhysRange{base + size, page_size}));
    EXPECT_EQ(extent->configure(base, size, sparse).error(), rt::Error::object_state);
}

TEST_F(MemExtentTest, ChildrenHaveNoMoreThanTheirParent) {
    auto child = make_object<MemExtent>();
    const auto configure = [&](std::uint64_t offset, std::uint64_t bytes,
                               ExtentAttributes attributes) {
        return child->configure_derive(root, offset, bytes, attributes);
    };
    EXPECT_EQ(configure(size - page_size, 2 * page_size, sparse).error(),
              rt::Error::argument_invalid);
    EXPECT_EQ(configure(~std::uint64_t{0}, 2, sparse).error(), rt::Error::argument_invalid);
    EXPECT_EQ(configure(1, page_size, sparse).error(), rt::Error::argument_invalid);
    EXPECT_EQ(configure(0, 0, sparse).error(), rt::Error::argument_invalid);
    constexpr ExtentAttributes cached_ro{GH_ACCESS_R, ExtentMemoryType::cached, ExtentKind::sparse};
    ASSERT_TRUE(configure(0, size, cached_ro));
    auto grandchild = make_object<MemExtent>();
    EXPECT_EQ(grandchild->configure_derive(child, 0, size, cached_ro).error(),
              rt::Error::object_state); // parent not active
    ASSERT_TRUE(child->activate());
    EXPECT_EQ(grandchild->configure_derive(child, 0, size, sparse).error(), rt::Error::denied);
    constexpr ExtentAttributes any_ro{GH_ACCESS_R, ExtentMemoryType::any, ExtentKind::sparse};
    EXPECT_EQ(grandchild->configure_derive(child, 0, size, any_ro).error(), rt::Error::denied);
    EXPECT_TRUE(grandchild->configure_derive(child, 0, size, cached_ro));
}

TEST_F(MemExtentTest, SparseChildStartsEmptyBasicChildTakesAll) {
    auto empty = derive(root, 0, size);
    EXPECT_EQ(owned(empty).size, 0U);
    auto full = derive(root, 8 * page_size, 8 * page_size, basic);
    EXPECT_EQ(owned(full), (PhysRange{base + 8 * page_size, 8 * page_size}));
    EXPECT_EQ(owned(root).size, 8 * page_size);
    auto other = make_object<MemExtent>();
    ASSERT_TRUE(other->configure_derive(root, 15 * page_size, 2 * page_size, basic));
    EXPECT_EQ(other->activate().error(), rt::Error::not_owner);
    auto below_basic = make_object<MemExtent>();
    EXPECT_EQ(below_basic->configure_derive(full, 0, page_size, basic).error(),
              rt::Error::memextent_type);
}

TEST_F(MemExtentTest, DonationChecksEverything) {
    auto child = derive(root, page_size, 4 * page_size);
    auto sibling = derive(root, 0, size);
    auto fixed = derive(root, 32 * page_size, page_size, basic);
    EXPECT_EQ(lend(root, child, 0, 0).error(), rt::Error::argument_size);
    EXPECT_EQ(lend(root, child, 0 - page_size, 2 * page_size).error(), rt::Error::argument_size);
    EXPECT_EQ(lend(root, child, 1, page_size).error(), rt::Error::argument_alignment);
    EXPECT_EQ(lend(root, child, 0, page_size).error(), rt::Error::argument_invalid); // not its
    EXPECT_EQ(lend(root, child, size, page_size).error(), rt::Error::argument_invalid);
    EXPECT_EQ(lend(child, sibling, 0, page_size).error(), rt::Error::argument_invalid);
    EXPECT_EQ(lend(root, fixed, 32 * page_size, page_size).error(), rt::Error::memextent_type);
    EXPECT_EQ(donate(MemExtent::DonateTo::parent, child, root, 0, page_size).error(),
              rt::Error::not_owner);
    EXPECT_EQ(donate(MemExtent::DonateTo::sibling, child, child, 0, page_size).error(),
              rt::Error::argument_invalid);
    ASSERT_TRUE(lend(root, child, page_size, 4 * page_size));
    EXPECT_EQ(lend(root, child, page_size, page_size).error(), rt::Error::not_owner);
    ASSERT_TRUE(donate(MemExtent::DonateTo::sibling, child, sibling, page_size, page_size));
    EXPECT_EQ(owned(sibling), (PhysRange{base + 2 * page_size, page_size}));
    ASSERT_TRUE(donate(MemExtent::DonateTo::parent, sibling, root, 2 * page_size, page_size));
    EXPECT_EQ(owned(sibling).size, 0U);
}

TEST_F(MemExtentTest, DonationKeepsContentAndMappedPagesStay) {
    auto child = derive(root, 0, size);
    fill(3, 1, 0x77);
    ASSERT_TRUE(space->map(*root, Ipa{0}, rwx, {}));
    EXPECT_EQ(lend(root, child, 3 * page_size, page_size).error(), rt::Error::busy);
    ASSERT_TRUE(space->unmap(*root, Ipa{3 * page_size}, {true, 3 * page_size, page_size}));
    ASSERT_TRUE(lend(root, child, 3 * page_size, page_size));
    EXPECT_TRUE(holds(3, 1, 0x77));
    ASSERT_TRUE(donate(MemExtent::DonateTo::parent, child, root, 3 * page_size, page_size));
    EXPECT_TRUE(holds(3, 1, 0x77));
}

TEST_F(MemExtentTest, TheEndOfAChildZeroesWhatAVmCouldWrite) {
    auto child = derive(root, 0, size);
    fill(0, 4, 0x55);
    ASSERT_TRUE(lend(root, child, 0, 3 * page_size));
    ASSERT_TRUE(space->map(*child, Ipa{0x10000}, rwx, {true, page_size, page_size}));
    fill(1, 1, 0xee); // the VM's secret
    child.clear();
    EXPECT_FALSE(space->permits(Ipa{0x10000}, GH_ACCESS_R));
    EXPECT_TRUE(holds(1, 1, 0));
    EXPECT_TRUE(holds(0, 1, 0x55)); // was never anyone else's
    EXPECT_TRUE(holds(2, 2, 0x55));
    EXPECT_EQ(owned(root), root->range());
}

TEST_F(MemExtentTest, SecretsSurviveNoDetour) {
    // Mapped by the child, handed to a sibling that never maps it, which then dies.
    auto child = derive(root, 0, size);
    auto sibling = derive(root, 0, size);
    ASSERT_TRUE(lend(root, child, 0, page_size));
    ASSERT_TRUE(space->map(*child, Ipa{0}, rwx, {true, 0, page_size}));
    fill(0, 1, 0xee);
    ASSERT_TRUE(space->unmap(*child, Ipa{0}, {true, 0, page_size}));
    ASSERT_TRUE(donate(MemExtent::DonateTo::sibling, child, sibling, 0, page_size));
    sibling.clear();
    EXPECT_TRUE(holds(0, 1, 0));

    // Mapped by the child, lent on to a grandchild that dies, then the child dies.
    ASSERT_TRUE(lend(root, child, 0, page_size));
    ASSERT_TRUE(space->map(*child, Ipa{0}, rwx, {true, 0, page_size}));
    fill(0, 1, 0xee);
    ASSERT_TRUE(space->unmap(*child, Ipa{0}, {true, 0, page_size}));
    auto grandchild = derive(child, 0, size);
    ASSERT_TRUE(lend(child, grandchild, 0, page_size));
    grandchild.clear();
    EXPECT_TRUE(holds(0, 1, 0xee)); // back at the child, whose secret it is
    child.clear();
    EXPECT_TRUE(holds(0, 1, 0));
}

TEST_F(MemExtentTest, ChildKeepsItsParentAlive) {
    auto child = derive(root, 0, size);
    ASSERT_TRUE(lend(root, child, 0, page_size));
    const OwnerId root_id = root->owner_id();
    root.clear();
    EXPECT_EQ(ownership().owner_of(base + page_size), root_id);
    child.clear();
    EXPECT_EQ(ownership().owner_of(base + page_size), OwnerId::partition);
    EXPECT_EQ(ownership().owner_of(base), OwnerId::partition);
}

TEST_F(MemExtentTest, PartitionIsTheParentOfRoots) {
    const auto all = make_object<Partition>();
    ASSERT_TRUE(root->donate_to_partition(*all, 0, 2 * page_size));
    EXPECT_EQ(ownership().owner_of(base), OwnerId::partition);
    EXPECT_EQ(root->donate_to_partition(*all, 0, page_size).error(), rt::Error::not_owner);
    auto other = make_object<MemExtent>();
    ASSERT_TRUE(other->configure(base, page_size, basic));
    ASSERT_TRUE(other->activate());
    EXPECT_EQ(root->accept_from_partition(*all, 0, 2 * page_size).error(), rt::Error::not_owner);
    other.clear();
    ASSERT_TRUE(root->accept_from_partition(*all, 0, 2 * page_size));
    auto child = derive(root, 0, size);
    EXPECT_EQ(child->accept_from_partition(*all, 0, page_size).error(),
              rt::Error::argument_invalid);
}

TEST_F(MemExtentTest, ZeroTouchesOwnedPagesOnly) {
    auto child = derive(root, 0, size);
    ASSERT_TRUE(lend(root, child, page_size, page_size));
    fill(0, 4, 0x33);
    ASSERT_TRUE(root->zero(0, 3 * page_size));
    EXPECT_TRUE(holds(0, 1, 0));
    EXPECT_TRUE(holds(1, 1, 0x33));
    EXPECT_TRUE(holds(2, 1, 0));
    EXPECT_TRUE(holds(3, 1, 0x33));
    EXPECT_EQ(root->zero(0, size + page_size).error(), rt::Error::argument_invalid);
    EXPECT_EQ(root->zero(0, 1).error(), rt::Error::argument_alignment);
    EXPECT_TRUE(root->clean_cache(0, size));
    EXPECT_TRUE(root->flush_cache(0, size));
    EXPECT_EQ(ownership().mappings_of(base), 0U);
}

TEST_F(MemExtentTest, UnmapAllReachesEveryAddressSpace) {
    auto other = make_object<AddressSpace>();
    ASSERT_TRUE(other->configure(1));
    ASSERT_TRUE(other->activate());
    auto child = derive(root, 0, size);
    ASSERT_TRUE(lend(root, child, 0, 8 * page_size));
    ASSERT_TRUE(space->map(*child, Ipa{0x100000}, rwx, {}));
    ASSERT_TRUE(other->map(*child, Ipa{0}, rwx, {true, page_size, 2 * page_size}));
    ASSERT_TRUE(other->map(*child, Ipa{0x40000}, rwx, {true, 0, 8 * page_size}));
    ASSERT_TRUE(other->map(*root, Ipa{0x80000}, rwx, {true, 8 * page_size, page_size}));
    EXPECT_EQ(ownership().mappings_of(base + page_size), 3U);
    ASSERT_TRUE(child->unmap_all());
    EXPECT_EQ(ownership().mappings_of(base + page_size), 0U);
    EXPECT_FALSE(other->permits(Ipa{0x40000}, GH_ACCESS_R));
    EXPECT_TRUE(other->permits(Ipa{0x80000}, GH_ACCESS_R)); // the root's page stays
}

TEST_F(MemExtentTest, ExtentsShareNoBlock) {
    // 2 MiB that could be one block, half of it the child's.
    constexpr std::uint64_t block = std::uint64_t{2} << 20;
    auto big = make_object<MemExtent>();
    ASSERT_TRUE(big->configure(base + 2 * block, block, sparse));
    ASSERT_TRUE(big->activate());
    auto child = derive(big, 0, block);
    ASSERT_TRUE(lend(big, child, 0, block / 2));
    const auto before = space->table_pages();
    ASSERT_TRUE(space->map(*child, Ipa{0}, rwx, {true, 0, block / 2}));
    ASSERT_TRUE(space->map(*big, Ipa{block / 2}, rwx, {true, block / 2, block / 2}));
    EXPECT_EQ(space->table_pages(), before + 2);
    std::vector<void*> hoard; // the end of an extent needs no memory
    while (void* page = page_allocator().allocate(0)) {
        hoard.push_back(page);
    }
    child.clear();
    for (void* page : hoard) {
        page_allocator().release(page);
    }
    EXPECT_FALSE(space->permits(Ipa{block / 2 - 1}, GH_ACCESS_R));
    EXPECT_TRUE(space->permits(Ipa{block / 2}, GH_ACCESS_R));
    EXPECT_EQ(ownership().mappings_of(base + 2 * block + block / 2), 1U);
    ASSERT_TRUE(space->map(*big, Ipa{0}, rwx, {true, 0, block / 2}));
    EXPECT_EQ(space->table_pages(), before + 1); // of one owner: a block
}

TEST_F(MemExtentTest, DeviceMemoryAvoidsCarveouts) {
    ASSERT_TRUE(carveouts().add({PhysAddr{0x0800'0000}, 0x10000}));
    auto device = make_object<MemExtent>();
    ASSERT_TRUE(device->configure(PhysAddr{0}, std::uint64_t{1} << 40, basic));
    ASSERT_TRUE(device->activate());
    EXPECT_FALSE(device->is_ram());
    auto uart = make_object<MemExtent>();
    EXPECT_EQ(uart->configure_derive(device, 0x0800'0000, page_size, basic).error(),
              rt::Error::denied);
    EXPECT_EQ(uart->configure_derive(device, base.value, page_size, basic).error(),
              rt::Error::denied); // RAM is no device
    EXPECT_EQ(uart->configure_derive(device, 0x0900'0000, page_size, sparse).error(),
              rt::Error::memextent_type);
    ASSERT_TRUE(uart->configure_derive(device, 0x0900'0000, page_size, basic));
    ASSERT_TRUE(uart->activate());
    EXPECT_EQ(uart->zero(0, page_size).error(), rt::Error::argument_invalid);

    constexpr MapAttributes rw{GH_ACCESS_RW, GH_ACCESS_RW, MemoryType::device_ngnre};
    ASSERT_TRUE(space->map(*device, Ipa{0}, rw, {}));
    EXPECT_TRUE(space->permits(Ipa{0x0900'0000}, GH_ACCESS_R));
    EXPECT_FALSE(space->permits(Ipa{0x0800'0000}, GH_ACCESS_R));
    EXPECT_FALSE(space->permits(Ipa{base.value}, GH_ACCESS_R));
    EXPECT_EQ(space->map(*uart, Ipa{0x0900'0000}, rw, {}).error(), rt::Error::existing_mapping);
    ASSERT_TRUE(space->unmap(*device, Ipa{0}, {}));
    EXPECT_FALSE(space->permits(Ipa{0x0900'0000}, GH_ACCESS_R));
    EXPECT_EQ(space->unmap(*device, Ipa{0}, {}).error(), rt::Error::argument_invalid);

    ASSERT_TRUE(space->map(*uart, Ipa{0x5000}, rw, {}));
    ASSERT_TRUE(space->map(*uart, Ipa{0x9000}, rw, {}));
    EXPECT_EQ(space->unmap(*uart, Ipa{0x6000}, {}).error(), rt::Error::argument_invalid);
    uart.clear(); // takes both mappings with it
    EXPECT_FALSE(space->permits(Ipa{0x5000}, GH_ACCESS_R));
    EXPECT_FALSE(space->permits(Ipa{0x9000}, GH_ACCESS_R));
}

TEST_F(MemExtentTest, AttributeWordsAreDecoded) {
    EXPECT_EQ(ExtentAttributes::decode(0x10107)->memory_type, ExtentMemoryType::device);
    EXPECT_FALSE(ExtentAttributes::decode(0x20000)); // no such kind
    EXPECT_FALSE(ExtentAttributes::decode(0x30000));
    EXPECT_EQ(ExtentAttributes::decode(0x10307)->kind, ExtentKind::sparse);
    EXPECT_EQ(ExtentAttributes::decode(0x8).error(), rt::Error::argument_invalid);
    EXPECT_EQ(ExtentAttributes::decode(0x80000000).error(), rt::Error::unimplemented);
    EXPECT_EQ(MapAttributes::decode(0xf0077)->encode(), 0xf0077U);
    EXPECT_EQ(MapAttributes::decode(0xf0070)->user, GH_ACCESS_RWX);
    EXPECT_FALSE(MapAttributes::decode(0xf0007)); // no kernel access
    EXPECT_FALSE(MapAttributes::decode(0x40077)); // reserved memory type
    EXPECT_FALSE(MapAttributes::decode(0x10f0077));
    EXPECT_FALSE(MapAttributes::decode_access(0xf0077));
    EXPECT_EQ(*resolve_memory_type(ExtentMemoryType::cached, MemoryType::device_ngnre),
              MemoryType::normal_writeback);
    EXPECT_EQ(*resolve_memory_type(ExtentMemoryType::uncached, MemoryType::normal_writeback),
              MemoryType::normal_noncacheable);
    EXPECT_EQ(resolve_memory_type(ExtentMemoryType::device, MemoryType::normal_writeback).error(),
              rt::Error::denied);
}

} // namespace
} // namespace hyp
