// SPDX-License-Identifier: BSD-3-Clause
// GuestMemory: bounds-checked sight of guest RAM, which the guest changes while we look.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace vmm {

// Does not own the memory; copies are cheap. Safe from any thread.
class GuestMemory {
public:
    // `bytes` is what the guest sees from physical address `base` on; base + size does not wrap.
    GuestMemory(std::uint64_t base, std::span<std::byte> bytes) : base_{base}, bytes_{bytes} {}

    // The `length` bytes at guest physical address `address`, or nothing if any of them is outside.
    [[nodiscard]] std::optional<std::span<std::byte>> range(std::uint64_t address,
                                                            std::uint64_t length) const {
        const bool starts_inside = address >= base_ && address - base_ <= bytes_.size();
        if (!starts_inside || length > bytes_.size() - (address - base_)) {
            return std::nullopt;
        }
        return bytes_.subspan(static_cast<std::size_t>(address - base_),
                              static_cast<std::size_t>(length));
    }

private:
    std::uint64_t base_;
    std::span<std::byte> bytes_;
};

// Copies a T out of guest memory exactly once: the value that is checked is the value that is used,
// whatever the guest writes meanwhile. `from` has at least sizeof(T) bytes.
template <typename T>
    requires std::is_trivially_copyable_v<T>
T fetch_once(std::span<const std::byte> from) {
    T value;
    std::memcpy(&value, from.data(), sizeof(T));
    // From here on the compiler must use the copy; it cannot read the guest's memory again.
    asm volatile("" : "+m"(value));
    return value;
}

} // namespace vmm
