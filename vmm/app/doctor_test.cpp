// SPDX-License-Identifier: BSD-3-Clause
// Tests of the doctor's verdicts.
#include "app/doctor.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vmm {
namespace {

Findings healthy() {
    Findings findings;
    findings.hypervisor_in_device_tree = true;
    findings.available_memory = std::uint64_t{1} << 30;
    return findings;
}

std::string bad(const Findings& findings) {
    std::string sentences;
    for (const Verdict& verdict : judge(findings)) {
        sentences += verdict.good ? "" : verdict.sentence + "\n";
    }
    return sentences;
}

TEST(Doctor, AHealthyMachine) {
    EXPECT_EQ(bad(healthy()), "");
    EXPECT_EQ(judge(healthy()).size(), 5U);
}

TEST(Doctor, NamesTheFirstCauseAndNotWhatFollows) {
    Findings findings = healthy();
    findings.device_error = "cannot open /dev/gunyah: there is no Gunyah driver";
    findings.function_error = "gunyah_vcpu";
    EXPECT_EQ(bad(findings), findings.device_error + "\n");
    findings.hypervisor_in_device_tree = false;
    EXPECT_NE(bad(findings).find("does not run under Gunyah"), std::string::npos);
    EXPECT_EQ(bad(findings).find("gunyah_vcpu"), std::string::npos);
}

TEST(Doctor, SaysWhatElseIsMissing) {
    Findings findings = healthy();
    findings.function_error = "no irqfd";
    findings.socket_error = "no folder";
    const std::string text = bad(findings);
    for (const char* part : {"no irqfd", "no folder"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part;
    }
    findings.vm_error = "no VMID";
    EXPECT_EQ(bad(findings), "no VMID\nno folder\n"); // without a VM there is no function either
}

TEST(Doctor, TellsFreeMemoryFromTheRightToLockIt) {
    Findings findings = healthy();
    findings.lockable_memory = 8 << 20;
    EXPECT_NE(bad(findings).find("may lock only 8 MiB"), std::string::npos);
    findings.available_memory = 4 << 20;
    EXPECT_NE(bad(findings).find("only 4 MiB of memory are free"), std::string::npos);
    findings = healthy();
    findings.available_memory.reset(); // no /proc
    EXPECT_EQ(bad(findings), "");
}

TEST(Doctor, TellsWhenMemoryIsFragmented) {
    Findings findings = healthy();
    findings.whole_memory = std::uint64_t{600} << 20;
    EXPECT_NE(judge(findings)[4].sentence.find("600 MiB of it lie in pieces"), std::string::npos);
    findings.whole_memory = std::uint64_t{100} << 20;
    EXPECT_NE(judge(findings)[4].sentence.find("fragmented: only 100 MiB"), std::string::npos);
    EXPECT_EQ(bad(findings), ""); // a guest gets its memory all the same
}

// This computer is no Gunyah VM.
TEST(Doctor, ExaminesTheMachineThatItRunsOn) {
    const Findings findings = examine();
    EXPECT_FALSE(findings.device_error.empty());
    EXPECT_TRUE(findings.available_memory.has_value());
    EXPECT_TRUE(findings.whole_memory.has_value());
}

} // namespace
} // namespace vmm
