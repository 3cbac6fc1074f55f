// SPDX-License-Identifier: BSD-3-Clause
// Ownership: one owner per page, nothing changes hands while mapped, all or nothing.
#include "memory/ownership.hpp"

#include "fake/test_machine.hpp"
#include "memory/carveouts.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace hyp {
namespace {

constexpr PhysAddr ram = fake::vm_ram.base;

PhysRange pages(std::uint64_t first, std::uint64_t count) {
    return {ram + first * page_size, count * page_size};
}

class OwnershipTest : public fake::TestMachine {
protected:
    void SetUp() override {
        TestMachine::SetUp();
        a = *ownership().allocate_id();
        b = *ownership().allocate_id();
    }
    static rt::Result<> give(PhysRange range, OwnerId from, OwnerId to) {
        return ownership().transfer(range, from, to, TouchMark::clear);
    }
    void follow_the_model(std::uint64_t unit);
    OwnerId a{};
    OwnerId b{};
};

TEST_F(OwnershipTest, RegionsAreChecked) {
    EXPECT_EQ(ownership().add_ram({PhysAddr{1}, page_size}).error(), rt::Error::argument_alignment);
    EXPECT_EQ(ownership().add_ram({PhysAddr{0}, 0}).error(), rt::Error::argument_invalid);
    EXPECT_EQ(ownership().add_ram(pages(3, 1)).error(), rt::Error::argument_invalid);
    EXPECT_TRUE(ownership().is_ram(fake::vm_ram));
    EXPECT_FALSE(ownership().is_ram({ram - page_size, 2 * page_size}));
    EXPECT_FALSE(ownership().is_ram({PhysAddr{0}, page_size}));
    EXPECT_TRUE(carveouts().overlap(pages(0, 1)));
}

TEST_F(OwnershipTest, TransferIsAllOrNothing) {
    ASSERT_TRUE(give(pages(0, 10), OwnerId::partition, a));
    EXPECT_EQ(give(pages(5, 10), OwnerId::partition, b).error(), rt::Error::not_owner);
    EXPECT_EQ(ownership().owner_of(ram + 12 * page_size), OwnerId::partition);
    EXPECT_EQ(give(pages(0, 10), b, OwnerId::partition).error(), rt::Error::not_owner);
    EXPECT_EQ(give({ram + 1, page_size}, a, b).error(), rt::Error::argument_alignment);
    EXPECT_EQ(give({PhysAddr{0}, page_size}, OwnerId::hypervisor, b).error(), rt::Error::not_owner);
    EXPECT_EQ(give({fake::vm_ram.end() - page_size, 2 * page_size}, OwnerId::partition, b).error(),
              rt::Error::not_owner);
    ASSERT_TRUE(give(pages(2, 3), a, b));
    EXPECT_EQ(ownership().first_owned(fake::vm_ram, a), pages(0, 2));
    EXPECT_EQ(ownership().first_owned(pages(1, 100), a), pages(1, 1));
    EXPECT_EQ(ownership().first_owned(pages(2, 100), a), pages(5, 5));
    EXPECT_EQ(ownership().first_owned(pages(10, 100), a).size, 0U);
}

TEST_F(OwnershipTest, MappedPagesStayWithTheirOwner) {
    ASSERT_TRUE(give(pages(0, 4), OwnerId::partition, a));
    EXPECT_EQ(ownership().add_mappings(pages(0, 4), b).error(), rt::Error::not_owner);
    ASSERT_TRUE(ownership().add_mappings(pages(1, 2), a));
    ASSERT_TRUE(ownership().add_mappings(pages(2, 1), a));
    EXPECT_EQ(ownership().mappings_of(ram + 2 * page_size), 2U);
    EXPECT_EQ(give(pages(0, 4), a, b).error(), rt::Error::busy);
    EXPECT_EQ(ownership().owner_of(ram), a);
    EXPECT_TRUE(give(pages(0, 1), a, b));
    ownership().remove_mappings(pages(1, 2));
    EXPECT_EQ(give(pages(1, 2), a, b).error(), rt::Error::busy);
    ownership().remove_mappings(pages(2, 1));
    EXPECT_TRUE(give(pages(1, 2), a, b));
    EXPECT_DEATH(ownership().remove_mappings(pages(1, 1)), "more unmappings");
}

TEST_F(OwnershipTest, MappingCountHasALimit) {
    ASSERT_TRUE(give(pages(0, 2), OwnerId::partition, a));
    for (int i = 0; i < 0x7fff; ++i) {
        ASSERT_TRUE(ownership().add_mappings(pages(0, 1), a));
    }
    EXPECT_EQ(ownership().add_mappings(pages(0, 2), a).error(), rt::Error::mappings_full);
    EXPECT_EQ(ownership().mappings_of(ram + page_size), 0U);
    EXPECT_EQ(ownership().mappings_of(ram), 0x7fffU);
}

TEST_F(OwnershipTest, TouchMarksFollowTheRules) {
    ASSERT_TRUE(give(pages(0, 3), OwnerId::partition, a));
    EXPECT_FALSE(ownership().first_run(fake::vm_ram, a).touched);
    ASSERT_TRUE(ownership().add_mappings(pages(1, 1), a));
    auto run = ownership().first_run(fake::vm_ram, a);
    EXPECT_EQ(run.range, pages(0, 1)); // cut where the page is mapped
    run = ownership().first_run(pages(1, 10), a);
    EXPECT_TRUE(run.touched && run.mapped);
    ownership().remove_mappings(pages(1, 1));
    run = ownership().first_run(pages(1, 10), a);
    EXPECT_TRUE(run.touched && !run.mapped);
    ASSERT_TRUE(ownership().transfer(pages(1, 1), a, b, TouchMark::keep));
    EXPECT_TRUE(ownership().first_run(fake::vm_ram, b).touched);
    ASSERT_TRUE(ownership().transfer(pages(1, 1), b, a, TouchMark::clear));
    EXPECT_EQ(ownership().first_run(fake::vm_ram, a).range, pages(0, 3));
    ASSERT_TRUE(ownership().transfer(pages(1, 1), a, b, TouchMark::set));
    EXPECT_TRUE(ownership().first_run(fake::vm_ram, b).touched);
}

TEST_F(OwnershipTest, ReservedPagesAreTheHypervisors) {
    ownership().reserve({ram + 10, page_size}); // two pages, and what lies below RAM is left out
    EXPECT_EQ(ownership().owner_of(ram), OwnerId::hypervisor);
    EXPECT_EQ(ownership().owner_of(ram + page_size), OwnerId::hypervisor);
    EXPECT_EQ(give(pages(0, 3), OwnerId::partition, a).error(), rt::Error::not_owner);
    EXPECT_DEATH(ownership().reserve(pages(1, 1)), "in use");
}

TEST_F(OwnershipTest, RunsSpanNoRegions) {
    // A second region right behind nothing: below the first, with a gap.
    const PhysRange low{PhysAddr{0x1000'0000}, 4 * page_size};
    ASSERT_TRUE(ownership().add_ram(low));
    ASSERT_TRUE(give(low, OwnerId::partition, a));
    ASSERT_TRUE(give(pages(0, 1), OwnerId::partition, a));
    const PhysRange all{PhysAddr{0}, std::uint64_t{1} << 40};
    EXPECT_EQ(ownership().first_owned(all, a), low);
    EXPECT_EQ(ownership().first_owned({low.end(), all.end() - low.end()}, a), pages(0, 1));
    EXPECT_EQ(give({low.base, ram + page_size - low.base}, a, b).error(), rt::Error::not_owner);
}

TEST_F(OwnershipTest, IdsAreUniqueWhileInUse) {
    std::set<OwnerId> ids{OwnerId::hypervisor, OwnerId::partition, a, b};
    for (int i = 0; i < 65532; ++i) {
        ASSERT_TRUE(ids.insert(*ownership().allocate_id()).second);
    }
    EXPECT_EQ(ownership().allocate_id().error(), rt::Error::no_resources);
    ownership().release_id(a);
    EXPECT_EQ(*ownership().allocate_id(), a);
}

/// Random operations on ranges of whole units, each of `unit` pages, against a record per unit.
void OwnershipTest::follow_the_model(std::uint64_t unit) {
    constexpr std::uint64_t count = 64;
    std::vector<OwnerId> owner(count, OwnerId::partition);
    std::vector<unsigned> mappings(count, 0);
    const OwnerId owners[] = {OwnerId::partition, a, b};
    std::mt19937 random(5);
    for (int step = 0; step < 20000; ++step) {
        const std::uint64_t first = random() % count;
        const std::uint64_t n = 1 + random() % std::min<std::uint64_t>(8, count - first);
        const OwnerId from = owners[random() % 3];
        const OwnerId to = owners[random() % 3];
        bool owned = true;
        bool mapped = false;
        for (std::uint64_t i = first; i < first + n; ++i) {
            owned = owned && owner[i] == from;
            mapped = mapped || mappings[i] != 0;
        }
        const int kind = static_cast<int>(random() % 4);
        if (kind < 2) {
            const auto result = give(pages(first * unit, n * unit), from, to);
            ASSERT_EQ(result.has_value(), owned && !mapped);
            if (!result) {
                ASSERT_EQ(result.error(), owned ? rt::Error::busy : rt::Error::not_owner);
            } else {
                std::fill_n(owner.begin() + static_cast<long>(first), n, to);
            }
        } else if (kind == 2) {
            const auto result = ownership().add_mappings(pages(first * unit, n * unit), from);
            ASSERT_EQ(result.has_value(), owned);
            for (std::uint64_t i = first; result && i < first + n; ++i) {
                ++mappings[i];
            }
        } else {
            const auto stop = std::find(mappings.begin() + static_cast<long>(first),
                                        mappings.begin() + static_cast<long>(first + n), 0U);
            const auto m = static_cast<std::uint64_t>(stop - mappings.begin()) - first;
            ownership().remove_mappings(pages(first * unit, m * unit));
            for (std::uint64_t i = first; i < first + m; ++i) {
                --mappings[i];
            }
        }
        const std::uint64_t look = random() % count;
        const PhysAddr page = ram + (look * unit + random() % unit) * page_size;
        ASSERT_EQ(ownership().owner_of(page), owner[look]);
        ASSERT_EQ(ownership().mappings_of(page), mappings[look]);
    }
}

TEST_F(OwnershipTest, RandomTransfersOfPagesFollowTheModel) {
    follow_the_model(1);
}

TEST_F(OwnershipTest, RandomTransfersAcrossBlocksFollowTheModel) {
    follow_the_model(128); // a quarter of a block of 2 MiB, up to two blocks at once
}

TEST(CarveoutsTest, FindsTheGaps) {
    Carveouts list;
    ASSERT_TRUE(list.add({PhysAddr{0x8000}, 0x2000}));
    ASSERT_TRUE(list.add({PhysAddr{0x3010}, 0x10})); // widened to its page
    ASSERT_TRUE(list.add({PhysAddr{0x9000}, 0x3000}));
    const auto first = [&](std::uint64_t base, std::uint64_t end) {
        return list.first_outside({PhysAddr{base}, end - base});
    };
    const PhysRange none{};
    EXPECT_EQ(first(0, 0x10000), (PhysRange{PhysAddr{0}, 0x3000}));
    EXPECT_EQ(first(0x3000, 0x10000), (PhysRange{PhysAddr{0x4000}, 0x4000}));
    EXPECT_EQ(first(0x8000, 0x10000), (PhysRange{PhysAddr{0xc000}, 0x4000}));
    EXPECT_EQ(first(0x5000, 0x6000), (PhysRange{PhysAddr{0x5000}, 0x1000}));
    EXPECT_EQ(first(0x8000, 0xc000), none);
    EXPECT_EQ(first(0x3000, 0x4000), none);
    EXPECT_TRUE(list.overlap({PhysAddr{0x3fff}, 1}));
    EXPECT_FALSE(list.overlap({PhysAddr{0x4000}, 0x4000}));
    for (std::size_t i = 3; i < Carveouts::max_ranges; ++i) {
        EXPECT_TRUE(list.add({PhysAddr{0x100000 * i}, 1}));
    }
    EXPECT_EQ(list.add({PhysAddr{0}, 1}).error(), rt::Error::no_resources);
}

} // namespace
} // namespace hyp
