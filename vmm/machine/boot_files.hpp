// SPDX-License-Identifier: BSD-3-Clause
// BootFiles: the kernel and initrd of a guest, checked and placed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "machine/device_tree.hpp"
#include "machine/input_file.hpp"
#include "machine/kernel_file.hpp"
#include "machine/memory_plan.hpp"
#include "virtio/guest_memory.hpp"

namespace vmm {

class BootFiles {
public:
    // `initrd_path` empty = none. Throws gunyah::Error when a file is unusable or both do not fit
    // `ram_size` bytes.
    static BootFiles open(const std::string& kernel_path, const std::string& initrd_path,
                          std::uint64_t ram_size);

    [[nodiscard]] const MemoryPlan& plan() const { return plan_; }
    [[nodiscard]] std::optional<AddressRange> initrd_range() const;

    // Puts kernel, entry jump and initrd into `memory`, which spans the RAM given to open() and is
    // all zero. Throws gunyah::Error when a file is damaged.
    void load(const GuestMemory& memory) const;

private:
    BootFiles(KernelFile kernel, std::optional<InputFile> initrd, MemoryPlan plan)
        : kernel_{std::move(kernel)}, initrd_{std::move(initrd)}, plan_{plan} {}

    KernelFile kernel_;
    std::optional<InputFile> initrd_;
    MemoryPlan plan_;
};

} // namespace vmm
