// SPDX-License-Identifier: BSD-3-Clause
// What rt::print prints, for each kind of argument and at its limits.
#include <runtime/print.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace {

struct SomeAddress {
    std::uint64_t value;
};

enum class Colour : std::uint8_t { red = 3 };

template <typename... Arguments>
std::string printed(rt::FormatString<std::type_identity_t<Arguments>...> format,
                    const Arguments&... arguments) {
    std::array<char, 200> buffer{};
    rt::BufferSink sink(buffer);
    rt::print(sink, format, arguments...);
    return std::string(sink.text());
}

TEST(Print, text_without_arguments) {
    EXPECT_EQ(printed("plain"), "plain");
    EXPECT_EQ(printed(""), "");
    EXPECT_EQ(printed("{{x}} }}{{"), "{x} }{");
}

TEST(Print, integers_of_every_width_at_their_limits) {
    EXPECT_EQ(printed("{} {}", 0, 42u), "0 42");
    EXPECT_EQ(printed("{}", std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
    EXPECT_EQ(printed("{}", std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
    EXPECT_EQ(printed("{}", std::numeric_limits<std::int8_t>::min()), "-128");
    EXPECT_EQ(printed("{}", std::uint8_t{200}), "200");
    EXPECT_EQ(printed("{}", std::int16_t{-1}), "-1");
}

TEST(Print, hexadecimal_with_and_without_padding) {
    EXPECT_EQ(printed("{x}", 0xdeadbeefu), "0xdeadbeef");
    EXPECT_EQ(printed("{x}", 0), "0x0");
    EXPECT_EQ(printed("{x8}", 0x1fu), "0x0000001f");
    EXPECT_EQ(printed("{x16}", std::numeric_limits<std::uint64_t>::max()), "0xffffffffffffffff");
    EXPECT_EQ(printed("{x2}", 0x1234), "0x1234");
    EXPECT_EQ(printed("{x}", -16), "-0x10");
}

TEST(Print, other_types) {
    EXPECT_EQ(printed("{} {}", true, false), "true false");
    EXPECT_EQ(printed("{}{x}", 'A', 'A'), "A0x41");
    EXPECT_EQ(printed("{} {}", "c string", std::string_view("view")), "c string view");
    const char* none = nullptr;
    EXPECT_EQ(printed("{}", none), "(null)");
    EXPECT_EQ(printed("{}", SomeAddress{0x8000'0000}), "0x80000000");
    EXPECT_EQ(printed("{}", reinterpret_cast<const void*>(0x10)), "0x10");
    EXPECT_EQ(printed("{}", Colour::red), "3");
    EXPECT_EQ(printed("{}", rt::Error::busy), "busy");
    EXPECT_EQ(printed("{}", static_cast<rt::Error>(9999)), "unknown error");
}

TEST(Print, arguments_between_text) {
    EXPECT_EQ(printed("a{}b{x}c{{{}}}", 1, 2, 3), "a1b0x2c{3}");
}

TEST(Print, a_full_buffer_truncates_and_says_so) {
    std::array<char, 4> buffer{};
    rt::BufferSink sink(buffer);
    rt::print(sink, "{}", 1234);
    EXPECT_FALSE(sink.truncated());
    rt::print(sink, "5");
    EXPECT_TRUE(sink.truncated());
    EXPECT_EQ(sink.text(), "1234");
}

TEST(Print, every_error_has_its_own_name) {
    EXPECT_EQ(rt::error_name(rt::Error::unimplemented), "unimplemented");
    EXPECT_NE(rt::error_name(rt::Error::cap_null), rt::error_name(rt::Error::cap_revoked));
}

static_assert(rt::detail::specification_is_valid("x16"));
static_assert(!rt::detail::specification_is_valid("x17"));
static_assert(!rt::detail::specification_is_valid("d"));
static_assert(rt::detail::count_placeholders("{}{{}}{x}") == 2);

} // namespace
