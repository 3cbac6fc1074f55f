// SPDX-License-Identifier: BSD-3-Clause
// What the C++ compiler and precompiled libraries expect of a runtime when there is none.
#include <runtime/panic.hpp>
#include <runtime/startup.hpp>

#include <cstdint>
#include <cstdlib>

namespace {

using Constructor = void (*)();

} // namespace

extern "C" {

extern const Constructor __init_array_start[];
extern const Constructor __init_array_end[];

/// Debian's libfdt.a is built with stack protection, and what of our own code handles foreign data
/// and seldom runs. The value until seed_stack_guard() is called: odd bytes, a NUL to stop string
/// functions.
std::uintptr_t __stack_chk_guard = 0x5ca1'ab1e'0dd0'0b00;

[[noreturn]] void __stack_chk_fail() {
    rt::panic("a stack buffer was overrun (stack protector)");
}

[[noreturn]] void __cxa_pure_virtual() {
    rt::panic("a pure virtual function was called");
}

/// Destructors of static objects never run: these programs do not end.
void* __dso_handle = nullptr;
int __cxa_atexit(void (*)(void*), void*, void*) {
    return 0;
}

void abort() {
    rt::panic("abort() was called");
}
}

namespace std {
// libstdc++'s containers call this when an assertion or an access check fails.
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...) {
    rt::panic("an index was out of range");
}
} // namespace std

namespace rt {

void run_static_constructors() {
    for (const Constructor* next = __init_array_start; next != __init_array_end; ++next) {
        (*next)();
    }
}

[[gnu::noinline]] void seed_stack_guard(std::uint64_t entropy) {
    __stack_chk_guard ^= entropy & ~std::uint64_t{0xff};
}

} // namespace rt
