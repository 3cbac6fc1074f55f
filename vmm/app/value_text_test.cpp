// SPDX-License-Identifier: BSD-3-Clause
// Tests of the texts that option values are written as: sizes and lists of key=value.
#include <gtest/gtest.h>

#include "app/key_values.hpp"
#include "app/size_text.hpp"

namespace vmm {
namespace {

TEST(ParseSize, KnowsUnits) {
    EXPECT_EQ(parse_size("1K"), 1024U);
    EXPECT_EQ(parse_size("64M"), 64U << 20);
    EXPECT_EQ(parse_size("64MB"), 64U << 20);
    EXPECT_EQ(parse_size("64MiB"), 64U << 20);
    EXPECT_EQ(parse_size("2G"), std::uint64_t{2} << 30);
    for (const char* wrong : {"", "M", "1", "1m", "1MM", "1MiBs", "-1M", " 1M", "1 M", "0x10M",
                              "99999999999999999999G", "18446744073709551615K"}) {
        EXPECT_FALSE(parse_size(wrong).has_value()) << wrong;
    }
}

TEST(FormatSize, IsReadBackTheSame) {
    EXPECT_EQ(format_size(std::uint64_t{3} << 30), "3G");
    EXPECT_EQ(format_size(98U << 20), "98M");
    EXPECT_EQ(format_size(1024), "1K");
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{5} << 40, std::uint64_t{3072}}) {
        EXPECT_EQ(parse_size(format_size(size)), size);
    }
}

std::string joined(const char* text) {
    std::string result;
    for (const auto& [key, value] : parse_key_values(text, "first")) {
        result += key + "(" + value + ")";
    }
    return result;
}

TEST(KeyValues, AreSplitAtSingleCommas) {
    EXPECT_EQ(joined("a"), "first(a)");
    EXPECT_EQ(joined("a,ro,b=c"), "first(a)ro(yes)b(c)");
    EXPECT_EQ(joined("x=a,,b,y=c=d"), "x(a,b)y(c=d)");
    EXPECT_EQ(joined(""), "first()");
    EXPECT_EQ(joined(","), "first()(yes)");
    EXPECT_EQ(joined("a,,,b"), "first(a,)b(yes)");
    EXPECT_EQ(joined("=,="), "()()");
}

} // namespace
} // namespace vmm
