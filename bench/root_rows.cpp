// SPDX-License-Identifier: BSD-3-Clause
// Calls that need capabilities which the primary VM has not: runs in the Resource Manager's place.
#include "calls.hpp"
#include "ticks.hpp"

#include "world.hpp"

#include <algorithm>
#include <string_view>

namespace bench {

namespace {

using root::Kind;

void print_row(std::string_view name, std::uint64_t ticks, std::uint64_t count) {
    rt::print(root::console(), "row {} {} {}\n", name, ticks, count);
}

/// The instructions of `count` operations, without the loop.
template <typename Operation>
std::uint64_t cost(std::uint64_t count, Operation operation) {
    return ticks_of(count, operation) - ticks_of(count, [] {});
}

alignas(64) constinit std::byte buffer[GH_MSGQUEUE_MAX_MESSAGE_SIZE]{};
constexpr std::uint64_t depth = 250;

std::uint64_t make_queue() {
    const std::uint64_t queue = root::make(Kind::msgqueue, root::State::init);
    root::expect_error("configure", root::call(GH_MSGQUEUE_CONFIGURE, queue, depth | 240 << 16), 0);
    root::expect_error("activate", root::call(GH_OBJECT_ACTIVATE, queue), 0);
    return queue;
}

void message_queue() {
    constexpr std::uint16_t send = GH_HVC_IMM_BASE + GH_MSGQUEUE_SEND;
    constexpr std::uint16_t receive = GH_HVC_IMM_BASE + GH_MSGQUEUE_RECEIVE;
    constexpr std::uint64_t fills = rounds / depth;
    const auto address = reinterpret_cast<std::uint64_t>(buffer);
    const std::uint64_t queue = make_queue();
    const auto send_8 = [=] { hvc<send>(queue, 8, address); };
    const auto receive_8 = [=] { hvc<receive>(queue, address, sizeof(buffer)); };
    std::uint64_t sending = 0;
    std::uint64_t receiving = 0;
    for (std::uint64_t i = 0; i < fills; ++i) {
        sending += cost(depth, send_8);
        root::expect_error("send", {hvc<send>(queue, 8, address)}, GH_ERROR_MSGQUEUE_FULL);
        receiving += cost(depth, receive_8);
        root::expect_error("receive", {hvc<receive>(queue, address, sizeof(buffer))},
                           GH_ERROR_MSGQUEUE_EMPTY);
    }
    print_row("msgqueue.send_8", sending, fills * depth);
    print_row("msgqueue.receive_8", receiving, fills * depth);
    (void)ticks_of(depth, send_8);
    root::expect_error("send", {hvc<send>(queue, 8, address)}, GH_ERROR_MSGQUEUE_FULL);
    print_row("msgqueue.send_full", cost(rounds, [=] { hvc<send>(queue, 8, address); }), rounds);
}

constexpr std::uint64_t block_size = 2 << 20;
constexpr std::uint64_t window = 0xc0000000; // where nothing is mapped, a multiple of block_size

/// A basic extent of `size` bytes at a multiple of block_size, from the end of RAM.
std::uint64_t make_extent(std::uint64_t size) {
    const gh_rm_boot_ram& ram = root::boot->ram[root::boot->ram_count - 1];
    const std::uint64_t end = ram.range.base + ram.range.size;
    const std::uint64_t offset = (end / block_size - 1) * block_size - ram.range.base;
    const std::uint64_t extent = root::make(Kind::memextent, root::State::init);
    root::expect_error("derive",
                       root::call(GH_MEMEXTENT_CONFIGURE_DERIVE, extent, ram.extent_cap, offset,
                                  size, GH_ACCESS_RWX),
                       0);
    root::expect_error("activate", root::call(GH_OBJECT_ACTIVATE, extent), 0);
    return extent;
}

void map_and_unmap(std::string_view name, std::uint64_t size) {
    constexpr std::uint16_t map = GH_HVC_IMM_BASE + GH_ADDRSPACE_MAP;
    constexpr std::uint16_t unmap = GH_HVC_IMM_BASE + GH_ADDRSPACE_UNMAP;
    constexpr std::uint64_t attributes =
        GH_ACCESS_RW << GH_MAP_ATTR_KERNEL_SHIFT | std::uint64_t{GH_MAP_MEMTYPE_NORMAL_WB}
                                                       << GH_MAP_ATTR_MEMTYPE_SHIFT;
    const std::uint64_t space = root::boot->addrspace_cap;
    const std::uint64_t extent = make_extent(size);
    std::uint64_t errors = 0;
    const auto operation = [&] {
        errors |= hvc<map>(space, extent, window, attributes);
        errors |= hvc<unmap>(space, extent, window);
    };
    operation(); // what only the first one costs
    const std::uint64_t ticks = cost(rounds, operation);
    root::expect_equal("errors of map and unmap", errors, 0);
    print_row(name, ticks, rounds);
    root::clean_up();
}

void address_space() {
    map_and_unmap("addrspace.map_unmap_4k", root::page_size);
    map_and_unmap("addrspace.map_unmap_2m", block_size);
}

constexpr root::Check checks[] = {
    {"message_queue", message_queue},
    {"address_space", address_space},
};

} // namespace

} // namespace bench

void root::run_checks() {
    for (const Check& check : bench::checks) {
        run(
            "bench", check.name, [](const void* which) { static_cast<const Check*>(which)->run(); },
            &check);
    }
}
