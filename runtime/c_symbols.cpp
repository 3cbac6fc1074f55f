// SPDX-License-Identifier: BSD-3-Clause
// The C library functions that compilers call, for programs without a C library.
#include <runtime/bytes.hpp>

#include <cstddef>

extern "C" {

void* memcpy(void* to, const void* from, std::size_t size) {
    return rt::copy_bytes(to, from, size);
}

void* memmove(void* to, const void* from, std::size_t size) {
    return rt::move_bytes(to, from, size);
}

void* memset(void* to, int value, std::size_t size) {
    return rt::fill_bytes(to, static_cast<unsigned char>(value), size);
}

int memcmp(const void* a, const void* b, std::size_t size) {
    return rt::compare_bytes(a, b, size);
}

void* memchr(const void* from, int value, std::size_t size) {
    return const_cast<void*>(rt::find_byte(from, static_cast<unsigned char>(value), size));
}

std::size_t strlen(const char* text) {
    return rt::text_length(text);
}
}
