// SPDX-License-Identifier: BSD-3-Clause
// The functions on text that libfdt calls, for programs without a C library.
#include <cstddef>

extern "C" {

std::size_t strnlen(const char* text, std::size_t limit) {
    std::size_t length = 0;
    while (length < limit && text[length] != '\0') {
        ++length;
    }
    return length;
}

int strncmp(const char* a, const char* b, std::size_t limit) {
    for (; limit != 0; --limit, ++a, ++b) {
        if (*a == '\0' || *a != *b) {
            return static_cast<unsigned char>(*a) - static_cast<unsigned char>(*b);
        }
    }
    return 0;
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
