// SPDX-License-Identifier: BSD-3-Clause
// A growing array that reports "no memory" instead of throwing; owns its elements.
#pragma once

#include <runtime/panic.hpp>

#include <algorithm>
#include <cstddef>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace rm {

template <typename T>
class Vector {
public:
    Vector() = default;
    Vector(Vector&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    Vector& operator=(Vector&& other) noexcept {
        if (this != &other) {
            clear_and_free();
            data_ = std::exchange(other.data_, nullptr);
            size_ = std::exchange(other.size_, 0);
            capacity_ = std::exchange(other.capacity_, 0);
        }
        return *this;
    }
    Vector(const Vector&) = delete;
    Vector& operator=(const Vector&) = delete;
    ~Vector() { clear_and_free(); }

    /// False when there is no memory; then nothing has changed (and `value` is not consumed).
    [[nodiscard]] bool push_back(T&& value) {
        if (size_ == capacity_ && !reserve(capacity_ == 0 ? 4 : capacity_ * 2)) {
            return false;
        }
        new (data_ + size_) T(std::move(value));
        ++size_;
        return true;
    }
    [[nodiscard]] bool push_back(const T& value) {
        T copy(value);
        return push_back(std::move(copy));
    }

    /// After success, push_back() does not fail until size() reaches `capacity`.
    [[nodiscard]] bool reserve(std::size_t capacity) {
        if (capacity <= capacity_) {
            return true;
        }
        if (capacity > static_cast<std::size_t>(-1) / sizeof(T)) {
            return false;
        }
        void* memory = ::operator new(capacity * sizeof(T), std::nothrow);
        if (memory == nullptr) {
            return false;
        }
        T* data = static_cast<T*>(memory);
        for (std::size_t i = 0; i < size_; ++i) {
            new (data + i) T(std::move(data_[i]));
            data_[i].~T();
        }
        ::operator delete(data_);
        data_ = data;
        capacity_ = capacity;
        return true;
    }

    /// Appends value-initialised elements until there are `size`.
    [[nodiscard]] bool grow_to(std::size_t size) {
        if (!reserve(size)) {
            return false;
        }
        if constexpr (std::is_same_v<T, std::byte>) {
            if (size > size_) {
                __builtin_memset(data_ + size_, 0, size - size_);
                size_ = size;
            }
        }
        while (size_ < size) {
            new (data_ + size_++) T();
        }
        return true;
    }

    /// Removes elements from the end, last first, until `size` are left.
    void shrink_to(std::size_t size) {
        if constexpr (std::is_trivially_destructible_v<T>) {
            size_ = std::min(size_, size);
        }
        while (size_ > size) {
            data_[--size_].~T();
        }
    }
    void clear() { shrink_to(0); }

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    T& operator[](std::size_t index) {
        rt::ensure(index < size_, "Vector: index out of range");
        return data_[index];
    }
    const T& operator[](std::size_t index) const {
        rt::ensure(index < size_, "Vector: index out of range");
        return data_[index];
    }
    T& back() { return (*this)[size_ - 1]; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }
    [[nodiscard]] std::span<T> span() { return {data_, size_}; }
    [[nodiscard]] std::span<const T> span() const { return {data_, size_}; }

private:
    void clear_and_free() {
        clear();
        ::operator delete(data_);
        data_ = nullptr;
        capacity_ = 0;
    }

    T* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace rm
