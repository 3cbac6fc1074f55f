// SPDX-License-Identifier: BSD-3-Clause
// What guests leave behind when they are gone: nothing.
#include "remains.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <thread>

#include "runner.hpp"

namespace driver {
namespace {

using namespace std::chrono_literals;

constexpr const char* counters_file = "/sys/kernel/debug/gunyah/counters";
constexpr int readings = 100;

std::string counters() {
    constexpr std::array<std::string_view, 8> compared{
        "vms",        "parcels",    "objects",      "vcpus",
        "addrspaces", "memextents", "capabilities", "page_table_pages"};
    std::ifstream file{counters_file};
    std::string name;
    std::string value;
    std::string all;
    while (file >> name >> value) {
        if (std::find(compared.begin(), compared.end(), name) != compared.end()) {
            all.append(name).append(" ").append(value).append("; ");
        }
    }
    return all;
}

long pins() {
    // Each CPU counts for itself and adds to the sum late, unless asked to (kernel documentation,
    // admin-guide/sysctl/vm, "stat_refresh"); without it, two readings of the same may differ.
    std::ofstream{"/proc/sys/vm/stat_refresh"} << "1\n";
    std::ifstream file{"/proc/vmstat"};
    long value = 0;
    long taken = 0;
    for (std::string name; file >> name >> value;) {
        if (name == "nr_foll_pin_acquired") {
            taken += value;
        } else if (name == "nr_foll_pin_released") {
            taken -= value;
        }
    }
    return taken;
}

std::string change(const char* what, long before, long now) {
    return before == now ? ""
                         : std::string{what} + " " + std::to_string(now) + " instead of " +
                               std::to_string(before) + "; ";
}

} // namespace

long interrupts_of_vcpus() {
    std::ifstream file{"/proc/interrupts"};
    long count = 0;
    for (std::string word; file >> word;) {
        count += word.starts_with("gh_vcpu") ? 1 : 0;
    }
    return count;
}

Remains::Remains() : counters_{counters()}, pins_{pins()}, interrupts_{interrupts_of_vcpus()} {}

std::string Remains::difference() const {
    std::string all;
    for (int i = 0; i < readings; ++i) {
        if (i > 0) {
            std::this_thread::sleep_for(40ms);
        }
        const std::string now = counters();
        all = now.empty()        ? "no counters; "
              : now == counters_ ? ""
                                 : now + "instead of " + counters_;
        all += change("pinned pages", pins_, pins());
        all += change("interrupts of vCPUs", interrupts_, interrupts_of_vcpus());
        if (all.empty()) {
            break;
        }
    }
    return all;
}

void Remains::expect_same(std::string_view where) const {
    const std::string left = difference();
    expect(left.empty(), std::string{where} + ": left behind: " + left);
}

} // namespace driver
