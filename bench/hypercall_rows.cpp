// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls that change nothing: the way in and out, dispatch, capability look-up.
#include "calls.hpp"
#include "measure.hpp"
#include "rows.hpp"

#include "calls/psci.hpp"
#include "rm/rpc.hpp"

#include <abi/error.h>
#include <abi/hypercall.h>

namespace bench {

namespace {

using test::Check;

constexpr std::uint16_t unimplemented = 0x1ee; // beyond the last call of the public document

void expect_error(const char* what, std::uint64_t got, std::int64_t expected) {
    test::expect_equal(what, got, static_cast<std::uint64_t>(expected));
}

void floor() {
    expect_error("hvc #0x61ee", hvc1<GH_HVC_IMM_BASE + unimplemented>(0), GH_ERROR_UNIMPLEMENTED);
    row("hvc.unimplemented", [] { hvc1<GH_HVC_IMM_BASE + unimplemented>(0); });
}

void identify() {
    row("hvc.identify_native", [] { hvc1<GH_HVC_IMM_BASE>(0); });
    row("hvc.identify_smccc", [] { hvc1<0>(GH_SMCCC_BASE); });
}

void psci_version() {
    test::expect_equal("PSCI_VERSION", hvc1<0>(test::psci::version), 0x10001);
    row("hvc.psci_version", [] { hvc1<0>(test::psci::version); });
}

void yield() {
    constexpr std::uint16_t call = GH_HVC_IMM_BASE + GH_SCHEDULER_YIELD;
    expect_error("scheduler_yield", hvc<call>(0), GH_ERROR_OK);
    row("hvc.yield", [] { hvc<call>(0); });
}

alignas(64) constinit std::byte buffer[GH_MSGQUEUE_MAX_MESSAGE_SIZE]{};

void message_queue_errors() {
    constexpr std::uint16_t send = GH_HVC_IMM_BASE + GH_MSGQUEUE_SEND;
    constexpr std::uint16_t receive = GH_HVC_IMM_BASE + GH_MSGQUEUE_RECEIVE;
    const auto address = reinterpret_cast<std::uint64_t>(buffer);
    const std::uint64_t queue = test::resource_manager_node().receive_cap;
    test::rpc().begin();
    expect_error("send", hvc<send>(0x7ffe, 8, address), GH_ERROR_CSPACE_CAP_NULL);
    row("msgqueue.send_invalid_cap", [=] { hvc<send>(0x7ffe, 8, address); });
    expect_error("receive", hvc<receive>(queue, address, 240), GH_ERROR_MSGQUEUE_EMPTY);
    row("msgqueue.receive_empty", [=] { hvc<receive>(queue, address, 240); });
}

constexpr Check rows[] = {
    {"bench.floor", floor},
    {"bench.identify", identify},
    {"bench.psci_version", psci_version},
    {"bench.yield", yield},
    {"bench.message_queue_errors", message_queue_errors},
};

} // namespace

std::span<const Check> hypercall_rows() {
    return rows;
}

} // namespace bench
