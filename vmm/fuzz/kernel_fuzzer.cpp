// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: kernel files of every form.
#include <vector>

#include "fuzz/memory_file.hpp"
#include "libgunyah/error.hpp"
#include "machine/kernel_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint64_t most = 1 << 20; // as if this were the guest's memory
    try {
        const auto kernel = vmm::KernelFile::open(vmm::fuzz::memory_file(data, size));
        if (kernel.image().image_size <= most) {
            std::vector<std::byte> memory(kernel.image().image_size);
            kernel.load(memory);
        }
    } catch (const gunyah::Error&) {
        return 0; // said so
    }
    return 0;
}
