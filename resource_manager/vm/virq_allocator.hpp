// SPDX-License-Identifier: BSD-3-Clause
// Which shared interrupt numbers (SPIs) of a virtual interrupt controller are free.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <utility>

namespace rm {

class VirqAllocator {
public:
    /// Numbers first..last, both within 32..1019, are free. first > last: none.
    VirqAllocator(std::uint32_t first, std::uint32_t last) : first_(first), last_(last) {}

    /// The lowest free number.
    std::optional<std::uint32_t> take() {
        for (std::uint32_t number = first_; number <= last_; ++number) {
            if (!taken_.test(number)) {
                taken_.set(number);
                return number;
            }
        }
        return std::nullopt;
    }
    void give_back(std::uint32_t number) { taken_.reset(number); }
    [[nodiscard]] std::size_t used() const { return taken_.count(); }

private:
    std::uint32_t first_;
    std::uint32_t last_;
    std::bitset<1020> taken_;
};

/// A number that goes back to its allocator when its owner dies.
class Virq {
public:
    Virq() = default;
    Virq(VirqAllocator& allocator, std::uint32_t number)
        : allocator_(&allocator), number_(number) {}
    Virq(Virq&& other) noexcept
        : allocator_(std::exchange(other.allocator_, nullptr)), number_(other.number_) {}
    Virq& operator=(Virq&& other) noexcept {
        if (this != &other) {
            drop();
            allocator_ = std::exchange(other.allocator_, nullptr);
            number_ = other.number_;
        }
        return *this;
    }
    Virq(const Virq&) = delete;
    Virq& operator=(const Virq&) = delete;
    ~Virq() { drop(); }

    [[nodiscard]] bool valid() const { return allocator_ != nullptr; }
    [[nodiscard]] std::uint32_t number() const { return number_; }

private:
    void drop() {
        if (allocator_ != nullptr) {
            allocator_->give_back(number_);
            allocator_ = nullptr;
        }
    }

    VirqAllocator* allocator_ = nullptr;
    std::uint32_t number_ = 0;
};

} // namespace rm
