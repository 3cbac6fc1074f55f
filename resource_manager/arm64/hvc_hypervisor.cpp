// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls by HVC with the number in the instruction.
#include "arm64/hvc_hypervisor.hpp"

#include <abi/hypercall.h>

#include <algorithm>

extern "C" void rm_hypercall(const std::uint64_t* arguments, std::uint64_t number,
                             std::uint64_t* results);

namespace rm {

namespace {

struct Answer {
    std::uint64_t error, first, second;
};

template <unsigned Number>
Answer hvc(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
    register std::uint64_t x0 asm("x0") = a;
    register std::uint64_t x1 asm("x1") = b;
    register std::uint64_t x2 asm("x2") = c;
    register std::uint64_t x3 asm("x3") = d;
    register std::uint64_t x4 asm("x4") = 0;
    asm volatile("hvc %5"
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4)
                 : "i"(GH_HVC_IMM_BASE + Number)
                 : "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
                   "x17", "memory");
    return {x0, x1, x2};
}

rt::Error error_of(const Answer& answer) {
    return static_cast<rt::Error>(static_cast<std::int32_t>(answer.error));
}

} // namespace

rt::Result<> HvcHypervisor::msgqueue_send(CapId queue, std::span<const std::byte> message,
                                          bool push) {
    const Answer answer = hvc<GH_MSGQUEUE_SEND>(queue.value, message.size(),
                                                reinterpret_cast<std::uintptr_t>(message.data()),
                                                push ? GH_MSGQUEUE_SEND_PUSH : 0);
    return answer.error == GH_ERROR_OK ? rt::Result<>{} : rt::fail(error_of(answer));
}

rt::Result<ReceivedMessage> HvcHypervisor::msgqueue_receive(CapId queue,
                                                            std::span<std::byte> buffer) {
    const Answer answer = hvc<GH_MSGQUEUE_RECEIVE>(
        queue.value, reinterpret_cast<std::uintptr_t>(buffer.data()), buffer.size(), 0);
    if (answer.error != GH_ERROR_OK) {
        return rt::fail(error_of(answer));
    }
    return ReceivedMessage{.size = std::min<std::size_t>(answer.first, buffer.size()),
                           .more = answer.second != 0};
}

Hypervisor::Outcome HvcHypervisor::hypercall(unsigned number, const Arguments& arguments) {
    Arguments results; // NOLINT: written before it is read
    rm_hypercall(arguments.data(), number, results.data());
    return {.error = static_cast<std::int64_t>(results[0]),
            .x = {results[1], results[2], results[3], results[4]}};
}

void HypervisorConsole::write(std::string_view text) {
    constexpr std::size_t piece = 32; // GH_EXT_CONSOLE_WRITE
    while (!text.empty()) {
        const std::string_view front = text.substr(0, piece);
        (void)hypervisor_.console_write(partition_, front); // there is nowhere to complain
        text.remove_prefix(front.size());
    }
}

} // namespace rm
