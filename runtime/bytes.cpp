// SPDX-License-Identifier: BSD-3-Clause
// Copy, fill and compare with 64-bit general registers: FP/SIMD belongs to the VM that runs.
// Compiled without loop idiom recognition, which would turn these loops into calls of themselves.
#include <runtime/bytes.hpp>

#include <bit>
#include <cstdint>

namespace rt {

namespace {

using Byte = unsigned char;
/// A word that may alias anything.
using Word = std::uint64_t __attribute__((may_alias));
using Cell = std::uint32_t __attribute__((may_alias));

constexpr std::size_t word_size = sizeof(Word);
constexpr std::size_t block_words = 4;

std::size_t misalignment(const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) % word_size;
}

/// Moves to a higher address, from the end on, as far as whole units go; the bytes left at the
/// start.
template <typename Unit>
std::size_t move_units(Byte* out, const Byte* in, std::size_t size) {
    for (; size != 0 && reinterpret_cast<std::uintptr_t>(out + size) % sizeof(Unit) != 0; --size) {
        out[size - 1] = in[size - 1];
    }
    for (; size >= block_words * sizeof(Unit); size -= block_words * sizeof(Unit)) {
        auto* out_end = reinterpret_cast<Unit*>(out + size);
        const auto* in_end = reinterpret_cast<const Unit*>(in + size);
        const Unit a = in_end[-1], b = in_end[-2], c = in_end[-3], d = in_end[-4];
        out_end[-1] = a;
        out_end[-2] = b;
        out_end[-3] = c;
        out_end[-4] = d;
    }
    for (; size >= sizeof(Unit); size -= sizeof(Unit)) {
        *reinterpret_cast<Unit*>(out + size - sizeof(Unit)) =
            *reinterpret_cast<const Unit*>(in + size - sizeof(Unit));
    }
    return size;
}

template <typename Unit>
void move_one(Byte*& out, const Byte*& in) {
    *reinterpret_cast<Unit*>(out) = *reinterpret_cast<const Unit*>(in);
    out += sizeof(Unit);
    in += sizeof(Unit);
    asm("" : "+r"(out), "+r"(in)); // else the compiler counts in other terms, and back at the end
}

/// In units of this size as far as whole ones go, then by smaller ones.
template <typename Unit>
[[gnu::always_inline]] inline void copy_forward(Byte* out, const Byte* in, std::size_t size) {
    for (; size >= block_words * sizeof(Unit); size -= block_words * sizeof(Unit)) {
        auto* out_units = reinterpret_cast<Unit*>(out);
        const auto* in_units = reinterpret_cast<const Unit*>(in);
        const Unit a = in_units[0], b = in_units[1], c = in_units[2], d = in_units[3];
        out_units[0] = a;
        out_units[1] = b;
        out_units[2] = c;
        out_units[3] = d;
        in += block_words * sizeof(Unit);
        out += block_words * sizeof(Unit);
    }
    for (; size >= sizeof(Unit); size -= sizeof(Unit)) {
        move_one<Unit>(out, in);
    }
    if (sizeof(Unit) > sizeof(Cell) && size >= sizeof(Cell)) { // messages end so
        move_one<Cell>(out, in);
        size -= sizeof(Cell);
    }
    for (; size != 0; --size) {
        move_one<Byte>(out, in);
    }
}

bool alike_aligned(const void* a, const void* b) {
    return misalignment(a) == misalignment(b);
}

} // namespace

void* copy_bytes(void* to, const void* from, std::size_t size) {
    auto* out = static_cast<Byte*>(to);
    const auto* in = static_cast<const Byte*>(from);
    if (misalignment(out) == 0 && misalignment(in) == 0) [[likely]] {
        copy_forward<Word>(out, in, size);
        return to;
    }
    if (alike_aligned(out, in)) {
        for (; size != 0 && misalignment(out) != 0; --size) {
            move_one<Byte>(out, in);
        }
        copy_forward<Word>(out, in, size);
    } else {
        copy_forward<Byte>(out, in, size);
    }
    return to;
}

void* move_bytes(void* to, const void* from, std::size_t size) {
    auto* out = static_cast<Byte*>(to);
    const auto* in = static_cast<const Byte*>(from);
    const auto distance =
        reinterpret_cast<std::uintptr_t>(out) - reinterpret_cast<std::uintptr_t>(in);
    if (distance >= size) { // `to` lies before `from` (wraps to a huge distance) or behind its end
        return copy_bytes(to, from, size);
    }
    if (alike_aligned(out, in)) {
        size = move_units<Word>(out, in, size);
    } else if (misalignment(out) % sizeof(Cell) == misalignment(in) % sizeof(Cell)) {
        size = move_units<Cell>(out, in, size); // parts of device trees
    }
    for (; size != 0; --size) {
        out[size - 1] = in[size - 1];
    }
    return to;
}

void* fill_bytes(void* to, unsigned char value, std::size_t size) {
    auto* out = static_cast<Byte*>(to);
    for (; size != 0 && misalignment(out) != 0; --size) {
        *out++ = value;
    }
    const Word pattern = value * std::uint64_t{0x0101'0101'0101'0101};
    auto* words = reinterpret_cast<Word*>(out);
    for (; size >= 2 * word_size; size -= 2 * word_size) {
        words[0] = pattern;
        words[1] = pattern;
        words += 2;
    }
    out = reinterpret_cast<Byte*>(words);
    for (; size != 0; --size) {
        *out++ = value;
    }
    return to;
}

int compare_bytes(const void* a, const void* b, std::size_t size) {
    const auto* left = static_cast<const Byte*>(a);
    const auto* right = static_cast<const Byte*>(b);
    for (; size != 0; --size, ++left, ++right) {
        if (*left != *right) {
            return *left < *right ? -1 : 1;
        }
    }
    return 0;
}

std::size_t text_length(const char* text) {
    const char* at = text;
    for (; misalignment(at) != 0; ++at) {
        if (*at == '\0') {
            return static_cast<std::size_t>(at - text);
        }
    }
    // An aligned word lies in one page, so that what it has behind the end can be read, too.
    constexpr Word ones = 0x0101'0101'0101'0101;
    for (;; at += word_size) {
        const Word word = *reinterpret_cast<const Word*>(at);
        if (const Word zeros = (word - ones) & ~word & ones << 7; zeros != 0) {
            return static_cast<std::size_t>(at - text + std::countr_zero(zeros) / 8);
        }
    }
}

const void* find_byte(const void* from, unsigned char value, std::size_t size) {
    const auto* in = static_cast<const Byte*>(from);
    for (; size != 0; --size, ++in) {
        if (*in == value) {
            return in;
        }
    }
    return nullptr;
}

} // namespace rt
