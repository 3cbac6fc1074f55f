// SPDX-License-Identifier: BSD-3-Clause
// Exception classes and fault status codes in words.
#include "arm64/exception.hpp"

namespace hyp::arch {

namespace {

unsigned exception_class(std::uint64_t esr) {
    return static_cast<unsigned>(esr >> 26) & 0x3f;
}

} // namespace

std::string_view exception_class_name(std::uint64_t esr) {
    switch (exception_class(esr)) {
    case 0x00:
        return "undefined instruction";
    case 0x07:
        return "FP/SIMD access trapped";
    case 0x0e:
        return "illegal execution state";
    case 0x15:
    case 0x16:
    case 0x17:
        return "supervisor, hypervisor or secure monitor call";
    case 0x18:
        return "system register trapped";
    case 0x19:
        return "SVE access trapped";
    case 0x20:
    case 0x21:
        return "instruction abort";
    case 0x22:
        return "misaligned PC";
    case 0x24:
    case 0x25:
        return "data abort";
    case 0x26:
        return "misaligned SP";
    case 0x2f:
        return "SError";
    case 0x30:
    case 0x31:
    case 0x32:
    case 0x33:
    case 0x34:
    case 0x35:
    case 0x3c:
        return "debug exception";
    default:
        return "exception of another class";
    }
}

std::string_view fault_status_name(std::uint64_t esr) {
    const unsigned status = static_cast<unsigned>(esr) & 0x3f;
    if (status >= 0x04 && status <= 0x07) {
        return "nothing is mapped there";
    }
    if (status >= 0x0c && status <= 0x0f) {
        return "the mapping does not permit it";
    }
    switch (status) {
    case 0x10:
        return "external abort";
    case 0x11:
        return "tag check fault";
    case 0x21:
        return "misaligned address";
    case 0x30:
        return "TLB conflict";
    default:
        return "another fault";
    }
}

bool is_abort(std::uint64_t esr) {
    const unsigned value = exception_class(esr);
    return value == 0x20 || value == 0x21 || value == 0x24 || value == 0x25;
}

} // namespace hyp::arch
