// SPDX-License-Identifier: BSD-3-Clause
// The words for syndromes seen in practice.
#include "arm64/exception.hpp"

#include <gtest/gtest.h>

namespace hyp::arch {
namespace {

TEST(Exception, a_write_to_an_unmapped_address) {
    constexpr std::uint64_t esr = 0x9600'0044; // EC 0x25, translation fault level 0
    EXPECT_EQ(exception_class_name(esr), "data abort");
    EXPECT_TRUE(is_abort(esr));
    EXPECT_EQ(fault_status_name(esr), "nothing is mapped there");
}

TEST(Exception, execution_of_data) {
    constexpr std::uint64_t esr = 0x8600'000f; // EC 0x21, permission fault level 3
    EXPECT_EQ(exception_class_name(esr), "instruction abort");
    EXPECT_EQ(fault_status_name(esr), "the mapping does not permit it");
}

TEST(Exception, no_abort_has_no_address) {
    EXPECT_FALSE(is_abort(0x0200'0000));
    EXPECT_EQ(exception_class_name(0x0200'0000), "undefined instruction");
    EXPECT_EQ(exception_class_name(0xfc00'0000), "exception of another class");
}

} // namespace
} // namespace hyp::arch
