// SPDX-License-Identifier: BSD-3-Clause
// The checker of the order in which stage-2 entries change sees what it is there for.
#include "fake/test_machine.hpp"
#include "heap/page_allocator.hpp"
#include "memory/stage2_entry.hpp"

#include <arch/tlb.hpp>

namespace hyp {
namespace {

using stage2::Entry;
using stage2::leaf_entry;
using stage2::write_entry;

constexpr Entry writable = Entry{3} << 6, readable = Entry{1} << 6;

class Stage2Order : public fake::TestMachine {
protected:
    Entry entry_ = 0;
    const Entry first_ = leaf_entry(3, fake::vm_ram.base, writable);
    const Entry second_ = leaf_entry(3, fake::vm_ram.base + 4096, writable);
};

TEST_F(Stage2Order, AValidEntryIsBrokenFirst) {
    write_entry(entry_, first_);
    EXPECT_DEATH(write_entry(entry_, second_), "without a break");
    write_entry(entry_, leaf_entry(3, fake::vm_ram.base, readable));
    EXPECT_FALSE(fake::stage2_settled());
    stage2_invalidate_range(0, Ipa{0}, 4096);
}

TEST_F(Stage2Order, ABrokenEntryWaitsForTheTlbs) {
    write_entry(entry_, first_);
    write_entry(entry_, 0);
    EXPECT_DEATH(write_entry(entry_, second_), "before the TLBs are clean");
    stage2_invalidate_range(0, Ipa{0}, 4096);
    write_entry(entry_, second_);
}

TEST_F(Stage2Order, ATableOutlivesWhatTlbsHoldOfIt) {
    auto* table = static_cast<Entry*>(page_allocator().allocate_zeroed(0));
    ASSERT_NE(table, nullptr);
    write_entry(entry_, stage2::table_entry(table));
    write_entry(entry_, 0);
    EXPECT_DEATH(page_allocator().release(table), "a table is released");
    stage2_invalidate_range(0, Ipa{0}, 4096);
    page_allocator().release(table);
}

} // namespace
} // namespace hyp
