// SPDX-License-Identifier: BSD-3-Clause
// Fills the Resource Manager's memory through the physical map.
#include "boot/resource_manager_memory.hpp"

#include <arch/cache.hpp>
#include <arch/physmap.hpp>
#include <runtime/bytes.hpp>
#include <runtime/flat_tree.hpp>
#include <runtime/panic.hpp>

#include <new>

extern "C" const std::uint8_t resource_manager_start[], resource_manager_end[];

namespace hyp {

ResourceManagerMemory::ResourceManagerMemory(PhysRange range)
    : start_(static_cast<std::uint8_t*>(phys_to_virt(range.base))), size_(range.size) {
    const auto image_size =
        static_cast<std::uint64_t>(resource_manager_end - resource_manager_start);
    rt::ensure(image_size != 0, "this image was built without a Resource Manager");
    gh_rm_image_header header{};
    rt::copy_bytes(&header, resource_manager_start, sizeof(header));
    rt::ensure(header.memory_size >= image_size && is_aligned(header.memory_size, page_size),
               "the Resource Manager's image has a wrong header");
    auto* image = static_cast<std::uint8_t*>(reserve(header.memory_size, page_size));
    rt::copy_bytes(image, resource_manager_start, image_size);
    const std::uint64_t filled = align_up(image_size, page_size);
    rt::fill_bytes(image + image_size, 0, filled - image_size);
    zero_pages(image + filled, header.memory_size - filled);
    boot_ = new (reserve(sizeof(gh_rm_boot), page_size)) gh_rm_boot{};
    boot_->magic = GH_RM_BOOT_MAGIC;
    boot_->version = GH_RM_BOOT_VERSION;
    boot_->memory = {GH_RM_IPA_BASE, size_};
}

std::span<std::uint64_t> ResourceManagerMemory::add_interrupt_capabilities(std::uint32_t count) {
    auto* first =
        static_cast<std::uint64_t*>(reserve(count * sizeof(std::uint64_t), sizeof(std::uint64_t)));
    boot_->hwirq_caps_ipa = ipa_of(first).value;
    boot_->hwirq_count = count;
    return {first, count};
}

void* ResourceManagerMemory::add_device_tree(const void* tree) {
    const std::uint64_t size = rt::FlatTree::copy(tree, nullptr);
    void* copy = reserve(size, page_size);
    rt::FlatTree::copy(tree, copy);
    boot_->dtb_ipa = ipa_of(copy).value;
    boot_->dtb_size = size;
    return copy;
}

void ResourceManagerMemory::finish() {
    boot_->free_base = ipa_of(reserve(0, page_size)).value;
    clean_invalidate_range(start_, used_);
    invalidate_instruction_caches();
}

void* ResourceManagerMemory::reserve(std::uint64_t size, std::uint64_t alignment) {
    const std::uint64_t at = align_up(used_, alignment);
    rt::ensure(range_within(at, size, size_), "the Resource Manager's memory is too small");
    used_ = at + size;
    return start_ + at;
}

Ipa ResourceManagerMemory::ipa_of(const void* pointer) const {
    const auto* byte = static_cast<const std::uint8_t*>(pointer);
    return Ipa{GH_RM_IPA_BASE + static_cast<std::uint64_t>(byte - start_)};
}

} // namespace hyp
