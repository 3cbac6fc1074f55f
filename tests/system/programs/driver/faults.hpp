// SPDX-License-Identifier: BSD-3-Clause
// The kernel's own fault injection, which only a debug kernel has (CONFIG_FAULT_INJECTION).
#pragma once

#include <cstdint>
#include <string>

namespace driver {

// Whether the kernel makes faults at all.
bool faults_are_possible();

// Objects of the slab allocators come in the same number each time; whole pages do not, because it
// depends on what is cached how many a slab needs.
enum class Allocation { object, page };

// Has one allocation of this thread fail: the next one of this kind for n = 1. The object's end
// calls it off.
class NthAllocation {
public:
    NthAllocation(Allocation kind, unsigned n);
    NthAllocation(const NthAllocation&) = delete;
    NthAllocation& operator=(const NthAllocation&) = delete;
    ~NthAllocation();

    // Whether it has failed by now.
    [[nodiscard]] bool done() const;
};

// From now on, for as long as the object lives, PERCENT of the kernel's small allocations fail in
// threads that called fail_my_allocations().
class FailingAllocations {
public:
    explicit FailingAllocations(unsigned percent);
    FailingAllocations(const FailingAllocations&) = delete;
    FailingAllocations& operator=(const FailingAllocations&) = delete;
    ~FailingAllocations();
};
// Also for the end of this thread, when the kernel closes its files.
void fail_my_allocations();

// A function of the driver, marked there with ALLOW_ERROR_INJECTION(), which does nothing once:
// after `spared` calls that are as always.
class SkippedCall {
public:
    SkippedCall(const std::string& function, unsigned spared);
    SkippedCall(const SkippedCall&) = delete;
    SkippedCall& operator=(const SkippedCall&) = delete;
    ~SkippedCall();

private:
    std::string function_;
};

// How long the driver waits for a reply of the Resource Manager, for as long as the object lives.
class ReplyLimit {
public:
    explicit ReplyLimit(unsigned seconds);
    ReplyLimit(const ReplyLimit&) = delete;
    ReplyLimit& operator=(const ReplyLimit&) = delete;
    ~ReplyLimit();

private:
    unsigned before_ = 0;
};

} // namespace driver
