// SPDX-License-Identifier: BSD-3-Clause
// A sequence with room for N elements inside itself: no allocation, no exceptions.
#pragma once

#include <runtime/panic.hpp>

#include <array>
#include <cstddef>

namespace rt {

/// Elements are default-constructed beforehand, so T should be a plain value.
template <typename T, std::size_t N>
class FixedVector {
public:
    // NOLINTNEXTLINE(bugprone-dynamic-static-initializers): a constant cannot be

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] bool full() const { return size_ == N; }

    /// False, and nothing is added, when it is full.
    [[nodiscard]] bool push_back(const T& item) {
        if (full()) {
            return false;
        }
        items_[size_++] = item;
        return true;
    }
    /// Removes the element at `index`; those behind it move up.
    void erase(std::size_t index) {
        ensure(index < size_, "FixedVector::erase beyond the end");
        for (std::size_t i = index + 1; i < size_; ++i) {
            items_[i - 1] = items_[i];
        }
        --size_;
    }
    void clear() { size_ = 0; }

    T& operator[](std::size_t index) {
        ensure(index < size_, "FixedVector index beyond the end");
        return items_[index];
    }
    const T& operator[](std::size_t index) const {
        ensure(index < size_, "FixedVector index beyond the end");
        return items_[index];
    }
    T* begin() { return items_.data(); }
    T* end() { return items_.data() + size_; }
    const T* begin() const { return items_.data(); }
    const T* end() const { return items_.data() + size_; }

private:
    std::array<T, N> items_{};
    std::size_t size_ = 0;
};

} // namespace rt
