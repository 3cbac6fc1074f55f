// SPDX-License-Identifier: BSD-3-Clause
// Tests of the command line.
#include "app/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vmm {
namespace {

std::variant<RunOptions, EarlyExit> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "gunyah");
    return parse_options(static_cast<int>(arguments.size()), arguments.data());
}
RunOptions accepted(const std::vector<const char*>& arguments) {
    const auto parsed = parse(arguments);
    if (const auto* early = std::get_if<EarlyExit>(&parsed); early != nullptr) {
        ADD_FAILURE() << early->text;
        return {};
    }
    return std::get<RunOptions>(parsed);
}
EarlyExit ended(const std::vector<const char*>& arguments) {
    const auto parsed = parse(arguments);
    if (std::holds_alternative<RunOptions>(parsed)) {
        ADD_FAILURE() << "was accepted";
        return {ExitStatus::powered_off, ""};
    }
    return std::get<EarlyExit>(parsed);
}
void expect_complaint(const std::vector<const char*>& arguments, const std::string& part) {
    const EarlyExit early = ended(arguments);
    EXPECT_EQ(early.status, ExitStatus::usage_error);
    EXPECT_NE(early.text.find(part), std::string::npos) << early.text;
    EXPECT_EQ(std::ranges::count(early.text, '\n'), 1) << early.text; // one sentence, one line
}

TEST(Options, OnlyTheKernelIsNeeded) {
    const RunOptions options = accepted({"run", "--kernel", "Image"});
    EXPECT_EQ(options.kernel, "Image");
    EXPECT_EQ(options.initrd, "");
    EXPECT_EQ(options.command_line, "console=ttyAMA0");
    EXPECT_EQ(options.cpus, 1U);
    EXPECT_EQ(options.memory, 256U << 20);
    EXPECT_TRUE(options.disks.empty());
    EXPECT_EQ(options.console, "stdio");
}

TEST(Options, AllOfThem) {
    const RunOptions options = accepted({"run", "--kernel=Image", "--initrd", "initrd", "--cmdline",
                                         "console=hvc0 a=b", "--cpus", "4", "--mem", "1G", "--disk",
                                         "a.img", "--disk", "b,c.img,ro", "--console", "pty"});
    EXPECT_EQ(options.initrd, "initrd");
    EXPECT_EQ(options.command_line, "console=hvc0 a=b");
    EXPECT_EQ(options.cpus, 4U);
    EXPECT_EQ(options.memory, 1U << 30);
    ASSERT_EQ(options.disks.size(), 2U);
    EXPECT_EQ(options.disks[0].path, "a.img");
    EXPECT_FALSE(options.disks[0].read_only);
    EXPECT_EQ(options.disks[1].path, "b,c.img");
    EXPECT_TRUE(options.disks[1].read_only);
    EXPECT_EQ(options.console, "pty");
}

TEST(Options, HelpIsNoError) {
    const EarlyExit early = ended({"run", "--help"});
    EXPECT_EQ(early.status, ExitStatus::powered_off);
    EXPECT_NE(early.text.find("--disk"), std::string::npos);
    EXPECT_NE(early.text.find("3 the guest asked for a reboot"), std::string::npos);
    EXPECT_EQ(ended({"--help"}).status, ExitStatus::powered_off);
}

TEST(Options, ComplainsInOneSentence) {
    expect_complaint({}, "subcommand is required");
    expect_complaint({"run"}, "--kernel is required");
    expect_complaint({"stop"}, "subcommand is required");
    expect_complaint({"run", "--kernel", "Image", "--frobnicate"}, "--frobnicate");
    expect_complaint({"run", "--kernel", "Image", "--cpus", "0"}, "--cpus");
    expect_complaint({"run", "--kernel", "Image", "--cpus", "17"}, "--cpus");
    expect_complaint({"run", "--kernel", "Image", "--cpus", "two"}, "--cpus");
    expect_complaint({"run", "--kernel", "Image", "--mem", "256"}, "needs a unit");
    expect_complaint({"run", "--kernel", "Image", "--mem", "33M"}, "multiple of 2M");
    expect_complaint({"run", "--kernel", "Image", "--mem", "2M"}, "16M");
    expect_complaint({"run", "--kernel", "Image", "--mem", "2000G"}, "1024G");
    expect_complaint({"run", "--kernel", "Image", "--disk", "a.img,rw"}, "rw");
    expect_complaint({"run", "--kernel", "Image", "stray"}, "stray");
}

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

TEST(ParseDisk, SplitsAtTheLastComma) {
    EXPECT_EQ(parse_disk("a")->path, "a");
    EXPECT_TRUE(parse_disk("a,ro")->read_only);
    for (const char* wrong : {"", ",ro", "a,", "a,ro,", "a,b"}) {
        EXPECT_FALSE(parse_disk(wrong).has_value()) << wrong;
    }
}

} // namespace
} // namespace vmm
