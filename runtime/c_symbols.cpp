// SPDX-License-Identifier: BSD-3-Clause
// The C library functions that compilers and libfdt call, for programs without a C library.
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

std::size_t strnlen(const char* text, std::size_t limit) {
    std::size_t length = 0;
    while (length < limit && text[length] != '\0') {
        ++length;
    }
    return length;
}

int strcmp(const char* a, const char* b) {
    while (*a != '\0' && *a == *b) {
        ++a;
        ++b;
    }
    return static_cast<unsigned char>(*a) - static_cast<unsigned char>(*b);
}

int strncmp(const char* a, const char* b, std::size_t limit) {
    for (; limit != 0; --limit, ++a, ++b) {
        if (*a == '\0' || *a != *b) {
            return static_cast<unsigned char>(*a) - static_cast<unsigned char>(*b);
        }
    }
    return 0;
}

char* strchr(const char* text, int value) {
    const char wanted = static_cast<char>(value);
    while (*text != wanted) {
        if (*text++ == '\0') {
            return nullptr;
        }
    }
    return const_cast<char*>(text);
}

char* strrchr(const char* text, int value) {
    const char wanted = static_cast<char>(value);
    const char* found = nullptr;
    do {
        if (*text == wanted) {
            found = text;
        }
    } while (*text++ != '\0');
    return const_cast<char*>(found);
}
}
