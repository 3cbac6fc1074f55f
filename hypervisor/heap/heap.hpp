// SPDX-License-Identifier: BSD-3-Clause
// Memory for hypervisor objects: slabs of equal-sized cells in pages of the pool.
#pragma once

#include "heap/names.hpp"
#include "heap/page_allocator.hpp"

#include <runtime/intrusive_list.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace hyp {

/// Requests above the largest cell get whole pages. A slab page whose last cell is released goes
/// back to the pool at once, so that the pool's count tells leaks apart from use.
/// Any CPU may call. Lock order: heap, then page allocator; both are leaves to everyone else.
class Heap {
public:
    constexpr Heap() = default;
    Heap(const Heap&) = delete;
    Heap& operator=(const Heap&) = delete;

    /// `size` bytes (> 0), aligned to `alignment` (a power of two up to a page); nullptr if the
    /// pool is empty. The content is undefined.
    [[nodiscard]] void* allocate(std::size_t size,
                                 std::size_t alignment = alignof(std::max_align_t))
        RT_EXCLUDES(lock_);
    /// Takes back what allocate gave; nullptr does nothing, a wrong pointer panics.
    void release(void* cell) RT_EXCLUDES(lock_);

    /// A T made from heap memory, or nullptr. The caller owns it and gives it to destroy().
    template <typename T, typename... Args>
    [[nodiscard]] T* create(Args&&... args) {
        void* cell = allocate(sizeof(T), alignof(T));
        return cell == nullptr ? nullptr : ::new (cell) T(std::forward<Args>(args)...);
    }
    template <typename T>
    void destroy(T* item) {
        if (item != nullptr) {
            item->~T();
            release(item);
        }
    }

private:
    struct Slab;
    using List = rt::IntrusiveList<Slab, Heap>;
    // Cells of 64 bytes and more are 64-byte aligned because the slab header takes 64 bytes.
    static constexpr std::array<std::uint16_t, 10> cell_sizes{32,  64,  128, 192, 256,
                                                              384, 512, 640, 960, 1984};

    static std::size_t class_for(std::size_t size, std::size_t alignment);
    Slab* make_slab(std::size_t size_class) RT_REQUIRES(lock_);
    void* take_cell(std::size_t size_class) RT_REQUIRES(lock_);
    void give_back(Slab& slab) RT_REQUIRES(lock_);

    Spinlock lock_;
    std::array<List, cell_sizes.size()> partial_ RT_GUARDED_BY(lock_){}; // slabs with a free cell
};

/// The one heap of the hypervisor, on page_allocator().
Heap& heap();

} // namespace hyp
