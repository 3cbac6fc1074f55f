// SPDX-License-Identifier: BSD-3-Clause
// Stage-2 tables: geometry, blocks, splits, joins, exact table counts, break-before-make, failure.
#include "memory/stage2.hpp"

#include "fake/test_machine.hpp"
#include "heap/page_allocator.hpp"

#include <arch/stage2_attributes.hpp>
#include <arch/tlb.hpp>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace hyp {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t mib2 = std::uint64_t{2} << 20;
constexpr std::uint64_t gib = std::uint64_t{1} << 30;
constexpr MapAttributes rwx{GH_ACCESS_RWX, GH_ACCESS_RWX, MemoryType::normal_writeback};
constexpr MapAttributes ro{GH_ACCESS_R, GH_ACCESS_R, MemoryType::normal_writeback};
constexpr MapAttributes device{GH_ACCESS_RW, GH_ACCESS_RW, MemoryType::device_ngnre};

bool always(PhysRange) {
    return true;
}

struct Collect final : Stage2::LeafVisitor {
    std::vector<Stage2::Mapping> leaves;
    bool visit(const Stage2::Mapping& leaf) override {
        leaves.push_back(leaf);
        return true;
    }
};

class Stage2Test : public fake::TestMachine {
protected:
    void SetUp() override {
        TestMachine::SetUp();
        ASSERT_TRUE(tables.create(5, always));
        empty_pages = tables.table_pages();
    }
    void TearDown() override {
        tables.destroy();
        TestMachine::TearDown();
    }
    rt::Result<> map(std::uint64_t ipa, std::uint64_t phys, std::uint64_t size,
                     MapAttributes attributes = rwx) {
        return tables.map({Ipa{ipa}, {PhysAddr{phys}, size}}, attributes);
    }
    rt::Result<> unmap(std::uint64_t ipa, std::uint64_t size) {
        Collect removed;
        return tables.unmap({Ipa{ipa}, size}, removed);
    }
    std::size_t extra() { return tables.table_pages() - empty_pages; }
    std::vector<Stage2::Mapping> leaves() {
        Collect all;
        tables.visit_leaves(Stage2::all(), all);
        return all.leaves;
    }

    Stage2 tables;
    std::size_t empty_pages = 0;
};

TEST_F(Stage2Test, GeometryFollowsThePhysicalAddressWidth) {
    EXPECT_EQ(empty_pages, 2U); // 40 bits: two concatenated level 1 tables
    EXPECT_EQ(Stage2::vtcr(), 0x80000000U | (2U << 16) | 0x3500U | (1U << 6) | 24U);
    EXPECT_EQ(tables.vttbr() >> 48, 5U);
    EXPECT_EQ(tables.vttbr() % 8192, 0U);
    for (const auto [bits, pages, sl0, ps] : {std::array{32U, 1U, 1U, 0U},
                                              {36U, 1U, 1U, 1U},
                                              {42U, 8U, 1U, 3U},
                                              {44U, 1U, 2U, 4U},
                                              {48U, 1U, 2U, 5U},
                                              {52U, 1U, 2U, 5U}}) {
        fake::stage2_features.physical_address_bits = bits;
        Stage2 other;
        ASSERT_TRUE(other.create(1, always));
        EXPECT_EQ(other.table_pages(), pages) << bits;
        EXPECT_EQ((Stage2::vtcr() >> 6) & 3, sl0) << bits;
        EXPECT_EQ((Stage2::vtcr() >> 16) & 7, ps) << bits;
        const std::uint64_t last = Stage2::ipa_limit() - page;
        EXPECT_TRUE(other.map({Ipa{last}, {PhysAddr{0}, page}}, rwx));
        EXPECT_EQ(other.lookup(Ipa{last})->phys, PhysAddr{0});
        EXPECT_EQ(other.map({Ipa{last}, {PhysAddr{0}, 2 * page}}, rwx).error(),
                  rt::Error::address_invalid);
        other.destroy();
    }
    fake::stage2_features.physical_address_bits = 40;
}

TEST_F(Stage2Test, UsesTheLargestBlocks) {
    ASSERT_TRUE(map(gib, 4 * gib, 2 * gib));
    EXPECT_EQ(extra(), 0U);
    EXPECT_EQ(leaves().size(), 2U);
    ASSERT_TRUE(map(4 * gib, 4 * gib + mib2, gib)); // misaligned for 1 GiB
    EXPECT_EQ(extra(), 1U);
    ASSERT_TRUE(map(8 * gib, 8 * gib + page, 2 * mib2)); // misaligned for 2 MiB
    EXPECT_EQ(extra(), 4U);
    ASSERT_TRUE(map(16 * gib - page, 16 * gib - page, gib + 2 * page));
    EXPECT_EQ(extra(), 8U); // a page on each side of one block
}

TEST_F(Stage2Test, LookupTellsEntryAndAttributes) {
    ASSERT_TRUE(map(mib2, 3 * mib2, mib2, ro));
    ASSERT_TRUE(map(0x10000, 0x9000000, page, device));
    const auto block = tables.lookup(Ipa{mib2 + 0x12345});
    ASSERT_TRUE(block);
    EXPECT_EQ(block->ipa, Ipa{mib2});
    EXPECT_EQ(block->phys, PhysAddr{3 * mib2});
    EXPECT_EQ(block->size, mib2);
    EXPECT_EQ(block->attributes, ro);
    EXPECT_EQ(tables.lookup(Ipa{0x10fff})->attributes, device);
    EXPECT_FALSE(tables.lookup(Ipa{0x11000}));
    EXPECT_FALSE(tables.lookup(Ipa{~std::uint64_t{0}}));
}

TEST_F(Stage2Test, ArgumentsAreChecked) {
    EXPECT_EQ(map(1, 0, page).error(), rt::Error::argument_alignment);
    EXPECT_EQ(map(0, 1, page).error(), rt::Error::argument_alignment);
    EXPECT_EQ(map(0, 0, page + 1).error(), rt::Error::argument_alignment);
    EXPECT_EQ(map(0, 0, 0).error(), rt::Error::argument_size);
    EXPECT_EQ(map(0 - page, 0, 2 * page).error(), rt::Error::address_overflow);
    EXPECT_EQ(map(Stage2::ipa_limit(), 0, page).error(), rt::Error::address_invalid);
    EXPECT_EQ(map(0, Stage2::ipa_limit(), page).error(), rt::Error::address_invalid);
    EXPECT_EQ(map(0, 0 - page, page).error(), rt::Error::address_invalid);
    EXPECT_EQ(unmap(1, page).error(), rt::Error::argument_alignment);
    EXPECT_EQ(unmap(0, 0).error(), rt::Error::argument_size);
}

TEST_F(Stage2Test, ExistingMappingsAreKept) {
    ASSERT_TRUE(map(mib2, mib2, page));
    EXPECT_EQ(map(0, 0, gib).error(), rt::Error::existing_mapping);
    EXPECT_EQ(map(mib2, 0, page).error(), rt::Error::existing_mapping);
    EXPECT_EQ(leaves().size(), 1U);
    const Stage2::Run runs[] = {{Ipa{0}, {PhysAddr{0}, page}}, {Ipa{mib2}, {PhysAddr{0}, page}}};
    EXPECT_EQ(tables.map(runs, rwx).error(), rt::Error::existing_mapping);
    EXPECT_EQ(leaves().size(), 1U);
}

TEST_F(Stage2Test, UnmapThenMapLeavesNoTrace) {
    ASSERT_TRUE(map(gib, gib, gib));
    const auto before = page_allocator().used_pages();
    for (const std::uint64_t at : {gib, gib + 5 * page, 2 * gib - page, gib + 7 * mib2}) {
        for (const std::uint64_t size : {page, 3 * page, mib2}) {
            if (at + size > 2 * gib) {
                continue;
            }
            ASSERT_TRUE(unmap(at, size));
            EXPECT_FALSE(tables.lookup(Ipa{at}));
            EXPECT_GE(extra(), 1U);
            ASSERT_TRUE(map(at, at, size));
            EXPECT_EQ(extra(), 0U);
            EXPECT_EQ(leaves().size(), 1U);
        }
    }
    EXPECT_EQ(page_allocator().used_pages(), before);
}

TEST_F(Stage2Test, PagewiseMappingBecomesABlock) {
    for (std::uint64_t offset = 0; offset < mib2; offset += page) {
        ASSERT_TRUE(map(mib2 + offset, gib + offset, page));
    }
    EXPECT_EQ(extra(), 1U); // the level 2 table
    EXPECT_EQ(leaves().size(), 1U);
    ASSERT_TRUE(tables.protect({Ipa{mib2}, page}, GH_ACCESS_R, GH_ACCESS_R));
    EXPECT_EQ(extra(), 2U);
    EXPECT_EQ(tables.lookup(Ipa{mib2})->attributes, ro);
    EXPECT_EQ(tables.lookup(Ipa{mib2 + page})->attributes, rwx);
    ASSERT_TRUE(tables.protect({Ipa{mib2}, page}, GH_ACCESS_RWX, GH_ACCESS_RWX));
    EXPECT_EQ(extra(), 1U);
}

TEST_F(Stage2Test, PolicyCanForbidJoining) {
    Stage2 other;
    ASSERT_TRUE(other.create(6, [](PhysRange range) { return range.base.value != gib; }));
    const auto before = other.table_pages();
    for (const std::uint64_t start : {gib, gib + mib2}) {
        for (std::uint64_t offset = 0; offset < mib2; offset += page) {
            ASSERT_TRUE(other.map({Ipa{start + offset}, {PhysAddr{start + offset}, page}}, rwx));
        }
    }
    EXPECT_EQ(other.table_pages(), before + 2); // level 2, and level 3 of the first 2 MiB
    other.destroy();
}

TEST_F(Stage2Test, DifferentAttributesOrAddressesDoNotJoin) {
    ASSERT_TRUE(map(0, 0, mib2 - page));
    ASSERT_TRUE(map(mib2 - page, mib2 - page, page, ro));
    ASSERT_TRUE(map(mib2, mib2, mib2 - page));
    ASSERT_TRUE(map(2 * mib2 - page, 8 * mib2, page));
    EXPECT_EQ(extra(), 3U);
    ASSERT_TRUE(unmap(0, gib));
    EXPECT_EQ(extra(), 0U);
}

TEST_F(Stage2Test, UnmapReportsWhatItRemovedAfterTheTlbForgot) {
    ASSERT_TRUE(map(0, gib, mib2));
    ASSERT_TRUE(map(mib2, 2 * gib, page));
    bool invalidated = false;
    fake::on_invalidate = [&](std::uint64_t vttbr, Ipa, std::uint64_t) {
        EXPECT_EQ(vttbr, tables.vttbr());
        invalidated = true;
    };
    struct AfterTlb final : Stage2::LeafVisitor {
        const bool& invalidated;
        std::uint64_t bytes = 0;
        explicit AfterTlb(const bool& flag) : invalidated(flag) {}
        bool visit(const Stage2::Mapping& leaf) override {
            EXPECT_TRUE(invalidated);
            bytes += leaf.size;
            return true;
        }
    } removed(invalidated);
    ASSERT_TRUE(tables.unmap({Ipa{0}, gib}, removed));
    EXPECT_EQ(removed.bytes, mib2 + page);
    invalidated = false;
    ASSERT_TRUE(tables.unmap({Ipa{0}, gib}, removed));
    EXPECT_FALSE(invalidated); // nothing was there
    fake::on_invalidate = nullptr;
}

TEST_F(Stage2Test, FeaturesShapeTheDescriptor) {
    const auto descriptor = [&](MapAttributes attributes) {
        EXPECT_TRUE(map(Stage2::ipa_limit() - gib, 0, gib, attributes));
        const auto* root =
            static_cast<const std::uint64_t*>(phys_to_virt(PhysAddr{tables.vttbr() << 16 >> 16}));
        const std::uint64_t entry = root[(Stage2::ipa_limit() >> 30) - 1];
        EXPECT_EQ(tables.lookup(Ipa{Stage2::ipa_limit() - 1})->attributes, attributes);
        EXPECT_TRUE(unmap(Stage2::ipa_limit() - gib, gib));
        return entry;
    };
    constexpr MapAttributes rw{GH_ACCESS_RW, GH_ACCESS_RW, MemoryType::normal_writeback};
    constexpr MapAttributes nc{GH_ACCESS_RW, GH_ACCESS_RW, MemoryType::normal_noncacheable};
    constexpr MapAttributes el1_x{GH_ACCESS_RWX, GH_ACCESS_RW, MemoryType::normal_writeback};
    constexpr MapAttributes el0_x{GH_ACCESS_RW, GH_ACCESS_RWX, MemoryType::normal_writeback};
    EXPECT_EQ(descriptor(rwx), 0x7fdU);
    EXPECT_EQ(descriptor(rw), 0x400000000007fdU);
    EXPECT_EQ(descriptor(ro), 0x4000000000077dU);
    EXPECT_EQ(descriptor(nc), 0x400000000007d5U);
    EXPECT_EQ(descriptor(device), 0x400000000004c5U);
    fake::stage2_features.xnx = true;
    EXPECT_EQ(descriptor(el1_x), 0x600000000007fdU);
    EXPECT_EQ(descriptor(el0_x), 0x200000000007fdU);
    EXPECT_EQ(descriptor(rw), 0x400000000007fdU);
    fake::stage2_features.s2fwb = true;
    EXPECT_EQ(descriptor(rwx), 0x7d9U);
    EXPECT_EQ(descriptor(nc), 0x400000000007d5U);
    EXPECT_EQ(descriptor(device), 0x400000000004c5U);
}

TEST_F(Stage2Test, OutOfMemoryChangesNothing) {
    ASSERT_TRUE(map(gib, gib, gib));
    // Leave between 0 and 3 free pages: a cut of the 1 GiB block needs two tables, the odd mapping
    // below up to four.
    std::vector<void*> hoard;
    while (void* block = page_allocator().allocate(0)) {
        hoard.push_back(block);
    }
    for (unsigned free = 0; free < 4; ++free) {
        const bool cut = unmap(gib + page, page).has_value();
        EXPECT_EQ(cut, free >= 2) << free;
        if (cut) {
            ASSERT_TRUE(map(gib + page, gib + page, page));
        }
        EXPECT_EQ(leaves().size(), 1U);
        EXPECT_EQ(extra(), 0U);
        const bool odd = map(4 * gib - page, 8 * gib - page, 2 * page).has_value();
        EXPECT_FALSE(odd);
        EXPECT_EQ(leaves().size(), 1U);
        EXPECT_EQ(extra(), 0U);
        const auto protect = tables.protect({Ipa{gib + mib2}, mib2}, GH_ACCESS_R, GH_ACCESS_R);
        EXPECT_EQ(protect.has_value(), free >= 1);
        if (protect) {
            ASSERT_TRUE(tables.protect({Ipa{gib}, gib}, GH_ACCESS_RWX, GH_ACCESS_RWX));
        }
        EXPECT_EQ(extra(), 0U);
        page_allocator().release(hoard.back());
        hoard.pop_back();
    }
    EXPECT_TRUE(map(4 * gib - page, 8 * gib - page, 2 * page)); // four free pages by now
    for (void* block : hoard) {
        page_allocator().release(block);
    }
}

/// A TLB that caches whatever it may, checked against the tables whenever memory changes hands.
class FakeTlb {
public:
    void fill(const Stage2::Mapping& leaf, Ipa ipa) { entries_[ipa.page().value] = leaf; }
    void invalidate(Ipa ipa, std::uint64_t size) {
        const std::uint64_t end = ipa.value + std::min(size, ~ipa.value);
        // An invalidation by address reaches every entry that translates it, blocks too.
        std::erase_if(entries_, [&](const auto& entry) {
            return entry.second.ipa.value < end &&
                   entry.second.ipa.value + entry.second.size > ipa.value;
        });
    }
    /// Each cached entry must still be what the tables say, as far as its own page goes.
    void check(const Stage2& tables) const {
        for (const auto& [ipa, cached] : entries_) {
            const auto now = tables.lookup(Ipa{ipa});
            ASSERT_TRUE(now) << std::hex << ipa;
            ASSERT_EQ(now->phys + (ipa - now->ipa.value), cached.phys + (ipa - cached.ipa.value));
            ASSERT_EQ(now->attributes, cached.attributes);
            // Break-before-make: never two sizes of entry for the same address.
            ASSERT_EQ(now->size, cached.size);
        }
    }

private:
    std::map<std::uint64_t, Stage2::Mapping> entries_;
};

/// Random changes in lock-step with a page-by-page model and a TLB; at the end of each step tables
/// and model agree, and the number of tables is the least that can hold what is mapped.
TEST_F(Stage2Test, RandomChangesFollowTheModel) {
    struct PageState {
        std::uint64_t phys;
        MapAttributes attributes;
        bool operator==(const PageState&) const = default;
    };
    constexpr std::uint64_t window = 4 * gib; // hot spots within
    std::map<std::uint64_t, PageState> model;
    FakeTlb tlb;
    fake::on_invalidate = [&](std::uint64_t, Ipa ipa, std::uint64_t size) {
        tlb.invalidate(ipa, size);
    };
    std::mt19937_64 random(2024);
    const auto pick_ipa = [&] {
        const std::uint64_t spots[] = {0, gib - 2 * mib2, gib, 3 * gib - mib2};
        return spots[random() % 4] + random() % 1024 * page;
    };
    const auto pick_size = [&] {
        const std::uint64_t sizes[] = {page, 2 * page, 17 * page, mib2, mib2 + page, 2 * mib2};
        return sizes[random() % 6];
    };
    const MapAttributes kinds[] = {rwx, ro, device};
    for (int step = 0; step < 3000; ++step) {
        std::uint64_t ipa = pick_ipa();
        std::uint64_t size = pick_size();
        if (random() % 4 == 0) {
            ipa = align_down(ipa, mib2);
        }
        const auto first = model.lower_bound(ipa);
        const auto last = model.lower_bound(ipa + size);
        switch (random() % 3) {
        case 0: {
            const MapAttributes attributes = kinds[random() % 5 == 0 ? random() % 3 : 0];
            const std::uint64_t phys = ipa + (random() % 8 == 0 ? page : 16 * gib);
            const auto result = map(ipa, phys, size, attributes);
            ASSERT_EQ(result.has_value(), first == last);
            for (std::uint64_t at = 0; result && at < size; at += page) {
                model[ipa + at] = {phys + at, attributes};
            }
            break;
        }
        case 1:
            ASSERT_TRUE(unmap(ipa, size));
            model.erase(first, last);
            break;
        default: {
            const Access access = random() % 2 == 0 ? GH_ACCESS_R : GH_ACCESS_RWX;
            ASSERT_TRUE(tables.protect({Ipa{ipa}, size}, access, access));
            for (auto it = first; it != last; ++it) {
                it->second.attributes.kernel = access;
                it->second.attributes.user = access;
            }
        }
        }
        tlb.check(tables);
        for (int i = 0; i < 20 && !model.empty(); ++i) {
            const auto near = model.lower_bound(pick_ipa());
            if (near != model.end()) {
                tlb.fill(*tables.lookup(Ipa{near->first}), Ipa{near->first});
            }
        }
        if (step % 10 != 0) {
            continue;
        }
        std::map<std::uint64_t, PageState> found;
        std::set<std::pair<int, std::uint64_t>> needed; // (level, number) of each table
        for (const auto& leaf : leaves()) {
            for (std::uint64_t at = 0; at < leaf.size; at += page) {
                found[leaf.ipa.value + at] = {leaf.phys.value + at, leaf.attributes};
            }
            if (leaf.size < gib) {
                needed.insert({2, leaf.ipa.value / gib});
            }
            if (leaf.size < mib2) {
                needed.insert({3, leaf.ipa.value / mib2});
            }
        }
        ASSERT_EQ(found, model);
        ASSERT_EQ(extra(), needed.size());
        for (const auto& [level, number] : needed) {
            if (level != 3) {
                continue;
            }
            bool uniform = true; // then it should have been a block
            const auto start = model.find(number * mib2);
            for (std::uint64_t at = 0; uniform && at < mib2; at += page) {
                const auto it = model.find(number * mib2 + at);
                uniform = start != model.end() && it != model.end() &&
                          it->second.phys == start->second.phys + at &&
                          it->second.attributes == start->second.attributes &&
                          is_aligned(start->second.phys, mib2);
            }
            ASSERT_FALSE(uniform);
        }
    }
    ASSERT_TRUE(unmap(0, window));
    EXPECT_EQ(extra(), 0U);
    fake::on_invalidate = nullptr;
}

} // namespace
} // namespace hyp
