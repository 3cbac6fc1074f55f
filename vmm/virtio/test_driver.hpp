// SPDX-License-Identifier: BSD-3-Clause
// TestDriver: the guest's side of a split virtqueue, for tests; it can also do everything wrong.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "virtio/guest_memory.hpp"
#include "virtio/ring_constants.hpp"
#include "virtio/virtqueue.hpp"

namespace vmm::test {

// 64 KiB of guest RAM at 1 MiB: descriptors, available and used ring in the first 16 KiB, then room
// for buffers.
class TestDriver {
public:
    static constexpr std::uint64_t base = 0x10'0000;
    static constexpr std::uint64_t memory_size = 0x1'0000;
    static constexpr std::uint64_t buffers = base + 0x4000;

    explicit TestDriver(std::uint16_t queue_size) : size_{queue_size}, ram_(memory_size) {}

    [[nodiscard]] GuestMemory memory() { return {base, ram_}; }
    [[nodiscard]] QueueLayout layout() const {
        return {
            .size = size_, .descriptors = base, .available = base + 0x2000, .used = base + 0x3000};
    }

    template <typename T>
    void store(std::uint64_t address, const T& value) {
        std::memcpy(&ram_[address - base], &value, sizeof(value));
    }
    template <typename T>
    [[nodiscard]] T load(std::uint64_t address) const {
        T value;
        std::memcpy(&value, &ram_[address - base], sizeof(value));
        return value;
    }

    void describe(std::uint64_t table, unsigned index, vring_desc descriptor) {
        store(table + index * sizeof(vring_desc), descriptor);
    }
    void describe(unsigned index, vring_desc descriptor) {
        describe(layout().descriptors, index, descriptor);
    }

    // Puts a head into the next available slot and moves the index.
    void offer(std::uint16_t head) {
        store<std::uint16_t>(layout().available + 4 + 2 * (available_ % size_), head);
        set_available(static_cast<std::uint16_t>(available_ + 1));
    }
    void set_available(std::uint16_t index) {
        available_ = index;
        store<std::uint16_t>(layout().available + 2, index);
    }
    void set_available_flags(std::uint16_t flags) { store(layout().available, flags); }
    void set_used_event(std::uint16_t index) { store(layout().available + 4 + 2 * size_, index); }
    [[nodiscard]] std::uint16_t used_index() const {
        return load<std::uint16_t>(layout().used + 2);
    }
    [[nodiscard]] std::uint16_t used_flags() const { return load<std::uint16_t>(layout().used); }
    [[nodiscard]] std::uint16_t available_event() const {
        return load<std::uint16_t>(layout().used + 4 + 8 * size_);
    }
    [[nodiscard]] vring_used_elem used(unsigned slot) const {
        return load<vring_used_elem>(layout().used + 4 + 8 * slot);
    }

private:
    std::uint16_t size_;
    std::vector<std::byte> ram_;
    std::uint16_t available_ = 0;
};

} // namespace vmm::test
