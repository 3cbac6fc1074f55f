// SPDX-License-Identifier: BSD-3-Clause
// What the C++ compiler and precompiled libraries expect of a runtime when there is none.
#include <runtime/panic.hpp>
#include <runtime/startup.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

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

/// std::popcount calls this where FP/SIMD, and with it the CNT instruction, must not be used.
int __popcountdi2(std::int64_t value) {
    constexpr std::uint64_t pairs = 0x5555'5555'5555'5555;
    constexpr std::uint64_t nibbles = 0x3333'3333'3333'3333;
    constexpr std::uint64_t bytes = 0x0f0f'0f0f'0f0f'0f0f;
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
    auto sums = static_cast<std::uint64_t>(value);
    sums -= (sums >> 1) & pairs;
    sums = (sums & nibbles) + ((sums >> 2) & nibbles);
    sums = (sums + (sums >> 4)) & bytes;
    return static_cast<int>((sums * ones) >> 56);
}

void abort() {
    rt::panic("abort() was called");
}
}

// Needed by the vtable of each class with a virtual destructor. Weak: a program with a heap has its
// own.
[[gnu::weak]] void operator delete(void*) noexcept {
    rt::panic("operator delete was called");
}
[[gnu::weak]] void operator delete(void*, std::size_t) noexcept {
    rt::panic("operator delete was called");
}
[[gnu::weak]] void operator delete(void*, std::align_val_t) noexcept {
    rt::panic("operator delete was called");
}
[[gnu::weak]] void operator delete(void*, std::size_t, std::align_val_t) noexcept {
    rt::panic("operator delete was called");
}

namespace std {
// libstdc++'s containers call this when an assertion or an access check fails.
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...) {
    rt::panic("an index was out of range");
}
[[noreturn]] void __throw_logic_error(const char* what) {
    rt::panic(what);
}
[[noreturn]] void __throw_length_error(const char* what) {
    rt::panic(what);
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
