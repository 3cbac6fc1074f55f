// SPDX-License-Identifier: BSD-3-Clause
// What the device tree says about the (virtual) machine that the program runs on.
#pragma once

#include <runtime/fixed_vector.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace test {

/// [base, base + size) of physical (for a VM: intermediate physical) addresses.
struct Range {
    std::uint64_t base = 0;
    std::uint64_t size = 0;

    [[nodiscard]] std::uint64_t end() const { return base + size; }
    [[nodiscard]] bool overlaps(const Range& other) const {
        return base < other.end() && other.base < end();
    }
};

/// The Resource Manager's two message queues, as this VM sees them.
struct ResourceManagerNode {
    std::uint64_t send_cap = 0;
    std::uint64_t receive_cap = 0;
    std::uint32_t send_irq = 0; // INTIDs
    std::uint32_t receive_irq = 0;
};

inline constexpr unsigned max_cpus = 8;

struct Board {
    const void* dtb = nullptr;
    std::uint64_t uart = 0;
    Range distributor;
    Range redistributors;
    bool has_its = false;
    bool has_pmu = false; // a node says where the counters' interrupt is
    rt::FixedVector<Range, 16> ram;
    rt::FixedVector<Range, 128> occupied;           // every reg and PCI window but the RAM
    rt::FixedVector<std::uint64_t, max_cpus> mpidr; // of the cpu nodes, in their order
    std::uint32_t virtual_timer_irq = 0;            // INTIDs
    std::uint32_t physical_timer_irq = 0;
    std::optional<ResourceManagerNode> resource_manager;
    std::string_view arguments; // the boot arguments

    /// No node lies there.
    [[nodiscard]] bool is_free(const Range& range) const;
    [[nodiscard]] bool has_argument(std::string_view word) const;
};

/// Reads the tree; null, or what is missing in it.
const char* read_board(const void* dtb);

/// The machine; valid after read_board.
const Board& board();

} // namespace test
