// SPDX-License-Identifier: BSD-3-Clause
// The fake RAM: one lazily filled mapping of the host process.
#include <arch/physmap.hpp>

#include <runtime/panic.hpp>

#include <cstddef>
#include <cstdint>

#include <sys/mman.h>

namespace hyp {

namespace {
std::byte* ram() {
    static std::byte* const memory = [] {
        void* pages =
            mmap(nullptr, fake::ram_size + (std::uint64_t{2} << 20), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        rt::ensure(pages != MAP_FAILED, "no address space for the fake RAM");
        return reinterpret_cast<std::byte*>(
            align_up(reinterpret_cast<std::uintptr_t>(pages), std::uint64_t{2} << 20));
    }();
    return memory;
}
} // namespace

void* phys_to_virt(PhysAddr address) {
    const bool inside = address >= fake::ram_base && address - fake::ram_base < fake::ram_size;
    rt::ensure(inside, "physical address outside the fake RAM");
    return ram() + (address - fake::ram_base);
}

PhysAddr virt_to_phys(const void* pointer) {
    const auto offset = static_cast<const std::byte*>(pointer) - ram();
    const bool inside = offset >= 0 && static_cast<std::uint64_t>(offset) < fake::ram_size;
    rt::ensure(inside, "pointer outside the fake RAM");
    return fake::ram_base + static_cast<std::uint64_t>(offset);
}

} // namespace hyp
