// SPDX-License-Identifier: BSD-3-Clause
// Exception classes and fault status codes in words.
#include "arm64/exception.hpp"

#include <span>

namespace hyp::arch {

namespace {

unsigned exception_class(std::uint64_t esr) {
    return static_cast<unsigned>(esr >> 26) & 0x3f;
}

/// What the numbers from `first` to `last` are called.
struct Name {
    unsigned first, last;
    const char* text;
};

constexpr Name classes[] = {
    {0x00, 0x00, "undefined instruction"},
    {0x07, 0x07, "FP/SIMD access trapped"},
    {0x0d, 0x0d, "branch to where none is expected"},
    {0x0e, 0x0e, "illegal execution state"},
    {0x15, 0x17, "supervisor, hypervisor or secure monitor call"},
    {0x18, 0x18, "system register trapped"},
    {0x19, 0x19, "SVE access trapped"},
    {0x20, 0x21, "instruction abort"},
    {0x22, 0x22, "misaligned PC"},
    {0x24, 0x25, "data abort"},
    {0x26, 0x26, "misaligned SP"},
    {0x2f, 0x2f, "SError"},
    {0x30, 0x35, "debug exception"},
    {0x3c, 0x3c, "debug exception"},
};

constexpr Name faults[] = {
    {0x04, 0x07, "nothing is mapped there"}, {0x0c, 0x0f, "the mapping does not permit it"},
    {0x10, 0x10, "external abort"},          {0x11, 0x11, "tag check fault"},
    {0x21, 0x21, "misaligned address"},      {0x30, 0x30, "TLB conflict"},
};

std::string_view find(std::span<const Name> names, unsigned number, const char* other) {
    for (const Name& name : names) {
        if (number >= name.first && number <= name.last) {
            return name.text;
        }
    }
    return other;
}

} // namespace

std::string_view exception_class_name(std::uint64_t esr) {
    return find(classes, exception_class(esr), "exception of another class");
}

std::string_view fault_status_name(std::uint64_t esr) {
    return find(faults, static_cast<unsigned>(esr) & 0x3f, "another fault");
}

bool is_abort(std::uint64_t esr) {
    const unsigned value = exception_class(esr);
    return value == 0x20 || value == 0x21 || value == 0x24 || value == 0x25;
}

} // namespace hyp::arch
