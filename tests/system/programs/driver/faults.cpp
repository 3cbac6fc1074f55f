// SPDX-License-Identifier: BSD-3-Clause
// The kernel's own fault injection; its files are described in Linux's fault-injection.rst.
#include "faults.hpp"

#include <unistd.h>

#include <fstream>

#include "runner.hpp"

namespace driver {
namespace {

const std::string debug = "/sys/kernel/debug/";
constexpr const char* nth_file = "/proc/thread-self/fail-nth";
constexpr const char* reply_file = "/sys/module/gunyah_rsc_mgr/parameters/reply_seconds";

void put(const std::string& path, const std::string& text) {
    std::ofstream file{path};
    file << text << std::flush;
    expect(static_cast<bool>(file), "writing " + text + " to " + path);
}

// Of failslab and its like. An interval of 1 and a probability mean what they say.
void arm(const std::string& folder, unsigned percent, const char* times, bool only_marked,
         unsigned spared) {
    put(folder + "/verbose", "0");
    put(folder + "/interval", "1");
    put(folder + "/times", times);
    put(folder + "/task-filter", only_marked ? "Y" : "N");
    // The last of a budget is not granted.
    put(folder + "/space", std::to_string(spared + 1));
    put(folder + "/probability", std::to_string(percent));
}

// The kernel spares allocations that may wait unless it is told not to.
void include(bool objects, bool pages) {
    put(debug + "failslab/ignore-gfp-wait", "N");
    put(debug + "fail_page_alloc/ignore-gfp-wait", "N");
    // No cache is marked, and no allocation is that large.
    put(debug + "failslab/cache-filter", objects ? "N" : "Y");
    put(debug + "fail_page_alloc/min-order", pages ? "0" : "99");
    put(debug + "failslab/verbose", "0");
    put(debug + "fail_page_alloc/verbose", "0");
}

} // namespace

bool faults_are_possible() {
    return ::access((debug + "failslab").c_str(), F_OK) == 0;
}

NthAllocation::NthAllocation(Allocation kind, unsigned n) {
    include(kind == Allocation::object, kind == Allocation::page);
    put(nth_file, std::to_string(n));
}

NthAllocation::~NthAllocation() {
    std::ofstream{nth_file} << "0" << std::flush;
}

bool NthAllocation::done() const {
    std::ifstream file{nth_file};
    unsigned left = 0;
    file >> left;
    return left == 0;
}

FailingAllocations::FailingAllocations(unsigned percent) {
    include(true, true);
    arm(debug + "failslab", percent, "-1", true, 0);
}

FailingAllocations::~FailingAllocations() {
    std::ofstream{debug + "failslab/probability"} << "0" << std::flush;
}

void fail_my_allocations() {
    put("/proc/thread-self/make-it-fail", "1");
}

SkippedCall::SkippedCall(const std::string& function, unsigned spared) : function_{function} {
    put(debug + "fail_function/inject", function);
    put(debug + "fail_function/" + function + "/retval", "0xfffffffffffffffb");
    arm(debug + "fail_function", 100, "1", false, spared);
}

SkippedCall::~SkippedCall() {
    std::ofstream{debug + "fail_function/probability"} << "0" << std::flush;
    std::ofstream{debug + "fail_function/inject"} << "!" + function_ << std::flush;
}

ReplyLimit::ReplyLimit(unsigned seconds) {
    std::ifstream{reply_file} >> before_;
    put(reply_file, std::to_string(seconds));
}

ReplyLimit::~ReplyLimit() {
    std::ofstream{reply_file} << before_ << std::flush;
}

} // namespace driver
