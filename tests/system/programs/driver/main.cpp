// SPDX-License-Identifier: BSD-3-Clause
// gunyah-driver-test [list | all | CASE...]: prints a line per case and one that counts them.
// gunyah-driver-test hold: has a guest in lent memory that runs until this program is killed.
// gunyah-driver-test kexec KERNEL INITRD: a new kernel takes the place of this one.
// gunyah-driver-test kexec-on-panic KERNEL INITRD: a new kernel will, if this one panics.
#include <algorithm>
#include <cstdio>
#include <string_view>

#include "cases.hpp"
#include "kexec.hpp"

namespace driver {

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const auto group :
         {memory_cases(), lend_cases(), lifecycle_cases(), function_cases(), vcpu_cases(),
          ioeventfd_cases(), irqfd_cases(), guest_cases(), mischief_cases(), ringer_cases(),
          stress_cases(), fault_cases(), lie_cases(), wakeup_cases()}) {
        cases.insert(cases.end(), group.begin(), group.end());
    }
    return cases;
}

} // namespace driver

int main(int argc, char** argv) {
    const std::span<char*> words{argv + 1, static_cast<std::size_t>(argc - 1)};
    if (words.size() == 3 && std::string_view{words[0]} == "kexec") {
        std::printf("kexec: %s\n", driver::kexec(words[1], words[2]).c_str());
        return 1;
    }
    if (words.size() == 3 && std::string_view{words[0]} == "kexec-on-panic") {
        const std::string failed = driver::kexec_on_panic(words[1], words[2]);
        std::printf("%s\n", failed.c_str());
        return failed.empty() ? 0 : 1;
    }
    if (words.size() == 1 && std::string_view{words[0]} == "hold") {
        driver::hold_guest();
    }
    int passed = 0;
    int failed = 0;
    for (const driver::Case& each : driver::all_cases()) {
        if (!words.empty() && std::string_view{words[0]} == "list") {
            std::puts(each.name);
            continue;
        }
        const bool chosen =
            words.empty() || std::string_view{words[0]} == "all" ||
            std::find(words.begin(), words.end(), std::string_view{each.name}) != words.end();
        if (chosen) {
            ++(driver::run_case(each) ? passed : failed);
        }
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
