// SPDX-License-Identifier: BSD-3-Clause
// The hypercalls on message queues, on this VM's ends of the two queues to the Resource Manager.
#include "calls/hypercall.hpp"
#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/interrupts.hpp"
#include "machine/page_tables.hpp"
#include "rm/rpc.hpp"

#include <algorithm>

namespace test {

namespace {

constexpr std::size_t page_size = 4096;

// Pages that the checks map in the window, apart from and in another order than here.
struct alignas(page_size) Page {
    std::byte bytes[page_size];
};
constinit Page pages[3]{};

std::int64_t send(std::uint64_t size, std::uint64_t address) {
    return hypercall(GH_MSGQUEUE_SEND, resource_manager_node().send_cap, size, address, 0).error;
}

HypercallResult receive(std::uint64_t address, std::uint64_t size) {
    return hypercall(GH_MSGQUEUE_RECEIVE, resource_manager_node().receive_cap, address, size);
}

void expect_error(const char* what, std::int64_t got, std::int64_t expected) {
    if (got != expected) {
        fail("{}: error {}, expected {}", what, got, expected);
    }
}

std::uint64_t address_of(const void* pointer) {
    return reinterpret_cast<std::uint64_t>(pointer);
}

void receive_on_empty() {
    rpc().begin();
    expect_error("receive", receive(address_of(&pages[0]), 240).error, GH_ERROR_MSGQUEUE_EMPTY);
    expect_error("receive, hvc #0x601c",
                 hypercall_by_immediate<GH_MSGQUEUE_RECEIVE>(resource_manager_node().receive_cap,
                                                             address_of(&pages[0]), 240)
                     .error,
                 GH_ERROR_MSGQUEUE_EMPTY);
}

void sizes() {
    const std::uint64_t buffer = address_of(&pages[0]);
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{241}, std::uint64_t{4096}, ~std::uint64_t{0},
          std::uint64_t{1} << 32, (std::uint64_t{1} << 32) + 8}) {
        if (const auto error = send(size, buffer); error != GH_ERROR_ARG_SIZE) {
            fail("size {x}: error {}, expected {}", size, error, GH_ERROR_ARG_SIZE);
        }
    }
}

// Not mapped in stage 1, not mapped in stage 2, wrapping around the end of the address space.
void unmapped_buffers() {
    rpc().begin();
    const std::uint64_t nowhere = window_address(0);
    expect_error("send, nothing mapped", send(8, nowhere), GH_ERROR_ADDR_INVAL);
    map_window(0, address_of(&pages[0]), PageKind::normal);
    unmap_window(1);
    expect_error("send, second page not mapped", send(240, window_address(1) - 8),
                 GH_ERROR_ADDR_INVAL);
    constexpr std::uint64_t free_ipa = 0x3f'0000'0000;
    if (board().is_free({free_ipa, page_size})) {
        map_window(2, free_ipa, PageKind::normal);
        expect_error("send, no memory behind it", send(8, window_address(2)), GH_ERROR_ADDR_INVAL);
    }
    expect_error("send, end of the address space", send(240, ~std::uint64_t{0} - 7),
                 GH_ERROR_ADDR_INVAL);
    expect_error("send from a device", send(8, board().distributor.base), GH_ERROR_ADDR_INVAL);
}

/// Sends VM_GET_VMID by hand from `address` and waits for the reply to be in the queue.
void request_vmid_from(std::uint64_t address, std::span<std::byte> buffer) {
    PayloadWriter request;
    request.u8(GH_RM_RPC_API).u8(GH_RM_RPC_REQUEST).u16(0xbeef).u32(GH_RM_VM_GET_VMID);
    std::copy(request.bytes().begin(), request.bytes().end(), buffer.begin());
    const std::uint32_t irq = resource_manager_node().receive_irq;
    const std::uint32_t seen = interrupt_count(irq);
    expect_error("send", send(GH_RM_RPC_HEADER_SIZE, address), GH_ERROR_OK);
    expect(wait_for_count(irq, seen, 3000), "the receive interrupt comes");
}

void expect_vmid_reply(std::span<const std::byte> message, std::uint64_t size) {
    PayloadReader reader(message.first(size));
    expect_equal("API byte", reader.u8(), GH_RM_RPC_API);
    expect_equal("type", reader.u8(), GH_RM_RPC_REPLY);
    expect_equal("sequence", reader.u16(), 0xbeef);
    expect_equal("message id", reader.u32(), GH_RM_VM_GET_VMID);
    expect_equal("error", reader.u32(), GH_RM_ERROR_OK);
    expect_equal("VMID", reader.u32() & 0xffff, GH_VMID_PRIMARY);
    expect(reader.finished(), "the reply ends after the VMID");
}

// Not wide enough: the message stays. Not mapped: it stays too.
void failed_receive_keeps_the_message() {
    rpc().begin();
    request_vmid_from(address_of(&pages[0]), pages[0].bytes);
    expect_error("receive into 8 bytes", receive(address_of(&pages[1]), 8).error,
                 GH_ERROR_ADDR_OVFL);
    expect_error("receive into nothing", receive(window_address(3), 240).error,
                 GH_ERROR_ADDR_INVAL);
    const HypercallResult result = receive(address_of(&pages[1]), 240);
    expect_error("receive", result.error, GH_ERROR_OK);
    expect_equal("NotEmpty", result.x2, 0);
    expect_vmid_reply(pages[1].bytes, result.x1);
}

// Neighbours in virtual addresses, not in physical ones: the second page lies before the first.
void buffer_across_pages() {
    rpc().begin();
    map_window(0, address_of(&pages[2]), PageKind::normal);
    map_window(1, address_of(&pages[0]), PageKind::normal);
    for (std::uint64_t before = 1; before < GH_RM_RPC_HEADER_SIZE; ++before) {
        std::fill_n(pages[1].bytes, page_size, std::byte{0xee});
        auto* buffer = reinterpret_cast<std::byte*>(window_address(1) - before);
        request_vmid_from(window_address(1) - before, {buffer, GH_RM_RPC_HEADER_SIZE});
        std::fill_n(buffer, GH_RM_RPC_HEADER_SIZE, std::byte{0});
        const HypercallResult result = receive(window_address(1) - before, 240 - before);
        expect_error("receive", result.error, GH_ERROR_OK);
        expect_vmid_reply({buffer, 240}, result.x1);
        const bool intact = std::all_of(pages[1].bytes, pages[1].bytes + page_size,
                                        [](std::byte byte) { return byte == std::byte{0xee}; });
        expect(intact, "the page that lies between them physically is untouched");
    }
}

// The receiver's buffer may not be one that it could not write itself.
void receive_into_read_only_page() {
    rpc().begin();
    request_vmid_from(address_of(&pages[0]), pages[0].bytes);
    map_window(0, address_of(&pages[1]), PageKind::read_only);
    std::fill_n(pages[1].bytes, 64, std::byte{0x11});
    expect_error("receive", receive(window_address(0), 240).error, GH_ERROR_ADDR_INVAL);
    expect(pages[1].bytes[0] == std::byte{0x11}, "nothing was written");
    expect_error("receive", receive(address_of(&pages[2]), 240).error, GH_ERROR_OK);
}

void interrupt_is_delivered_once() {
    rpc().begin();
    const std::uint32_t irq = resource_manager_node().receive_irq;
    for (std::uint32_t round = 1; round <= 50; ++round) {
        request_vmid_from(address_of(&pages[0]), pages[0].bytes);
        expect_error("receive", receive(address_of(&pages[1]), 240).error, GH_ERROR_OK);
        expect_equal("receive interrupts", interrupt_count(irq), round);
    }
}

constexpr Check checks[] = {
    {"msgqueue.receive_on_empty", receive_on_empty},
    {"msgqueue.sizes", sizes},
    {"msgqueue.unmapped_buffers", unmapped_buffers},
    {"msgqueue.failed_receive_keeps_the_message", failed_receive_keeps_the_message},
    {"msgqueue.buffer_across_pages", buffer_across_pages},
    {"msgqueue.receive_into_read_only_page", receive_into_read_only_page},
    {"msgqueue.interrupt_is_delivered_once", interrupt_is_delivered_once},
};

} // namespace

std::span<const Check> message_queue_checks() {
    return checks;
}

} // namespace test
