// SPDX-License-Identifier: BSD-3-Clause
// The trace: classes, rings that wrap, and readers.
#include "heap/trace.hpp"

#include "fake/test_machine.hpp"
#include "heap/page_allocator.hpp"

#include <arch/cpu.hpp>

namespace hyp {
namespace {

TEST(Trace, RecordsOfClassesThatAreOn) {
    if (page_allocator().total_pages() == 0) {
        ASSERT_TRUE(page_allocator().set_pool(fake::pool.base, fake::pool.size));
    }
    trace(TraceClass::error, 1, 2);
    EXPECT_EQ(read_trace(0, 0).error(), rt::Error::idle);
    EXPECT_EQ(read_trace(max_cpus, 0).error(), rt::Error::argument_invalid);
    EXPECT_EQ(update_trace_flags(~std::uint64_t{0}, 0), trace_classes);
    EXPECT_EQ(update_trace_flags(0, 2), 5U);
    trace(TraceClass::error, 3, 4);
    trace(TraceClass::schedule, 5, 6);
    trace(TraceClass::vcpu, 7, 8);
    auto record = read_trace(0, 0);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->what, 3U);
    EXPECT_EQ(record->argument, 4U);
    record = read_trace(0, record->position + 1);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->what, (std::uint64_t{2} << 32) | 7);
    EXPECT_EQ(read_trace(0, 2).error(), rt::Error::idle);
    EXPECT_EQ(read_trace(1, 0).error(), rt::Error::idle);
    for (std::uint32_t i = 0; i < 1000; ++i) {
        trace(TraceClass::vcpu, i, 0);
    }
    record = read_trace(0, 0);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->position, 1002U - 128);
    EXPECT_EQ(update_trace_flags(0, 7), 0U);
}

} // namespace
} // namespace hyp
