// SPDX-License-Identifier: BSD-3-Clause
// Boot, and what the Resource Manager does for its clients.
#include "calls.hpp"
#include "measure.hpp"
#include "rows.hpp"

#include "machine/gic.hpp"
#include "machine/interrupts.hpp"
#include "rm/rpc.hpp"
#include "vm/guest.hpp"

#include <abi/error.h>
#include <abi/hypercall.h>

namespace bench {

namespace {

using test::Check;
namespace gic = test::gic;

/// What happens once: the counter before and after.
template <typename Operation>
void row_once(std::string_view name, Operation operation) {
    const std::uint64_t begin = test::now();
    operation();
    rt::print(test::uart(), "row {} {} 1\n", name, test::now() - begin);
}

// The counter starts with the machine.
void boot() {
    rt::print(test::uart(), "row boot.first_instruction {} 1\n", test::first_tick());
}

struct Message {
    std::uint8_t api = GH_RM_RPC_API;
    std::uint8_t type = GH_RM_RPC_REQUEST;
    std::uint16_t sequence = 1;
    std::uint32_t id = GH_RM_VM_GET_VMID;
};

alignas(64) constinit Message request{};
alignas(64) constinit std::byte reply[GH_MSGQUEUE_MAX_MESSAGE_SIZE]{};

void take_interrupts() {
    for (;;) {
        const std::uint64_t intid = READ_SYSREG(s3_0_c12_c12_0); // ICC_IAR1_EL1
        if (intid == gic::spurious) {
            return;
        }
        WRITE_SYSREG(s3_0_c12_c12_1, intid); // ICC_EOIR1_EL1
    }
}

// Request, the interrupt that announces the reply, reply.
void get_vmid() {
    constexpr std::uint16_t send = GH_HVC_IMM_BASE + GH_MSGQUEUE_SEND;
    constexpr std::uint16_t receive = GH_HVC_IMM_BASE + GH_MSGQUEUE_RECEIVE;
    const auto to = reinterpret_cast<std::uint64_t>(&request);
    const auto from = reinterpret_cast<std::uint64_t>(reply);
    const test::ResourceManagerNode& node = test::resource_manager_node();
    test::rpc().begin();
    std::uint64_t errors = 0;
    {
        const test::MaskedInterrupts masked;
        row("rm.get_vmid", [&] {
            errors |= hvc<send>(node.send_cap, sizeof(request), to, GH_MSGQUEUE_SEND_PUSH);
            take_interrupts();
            errors |= hvc<receive>(node.receive_cap, from, sizeof(reply));
        });
    }
    test::expect_equal("errors of send and receive", errors, 0);
    test::expect_equal("type of the reply", std::to_integer<std::uint8_t>(reply[1]),
                       GH_RM_RPC_REPLY);
}

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;

// One range: the Resource Manager looks at the list only; VM_INIT maps.
void share_1_gib() {
    const auto& ram = test::board().ram;
    const std::uint64_t base = (ram[ram.size() - 1].end() - gibibyte) & ~std::uint64_t{0xfff};
    test::expect(base >= ram[ram.size() - 1].base, "the last range of RAM has 1 GiB");
    test::rpc().begin();
    static constinit test::PayloadWriter share;
    share.u8(GH_RM_MEM_TYPE_NORMAL).u8(0).u8(0).u8(0).u32(0).u32(1);
    share.u16(GH_VMID_PRIMARY).u8(7).u8(0).u16(1).u16(0).u64(base).u64(gibibyte).u32(0);
    std::uint32_t parcel = 0;
    row_once("rm.share_1_gib",
             [&] { parcel = test::rpc().must(GH_RM_MEM_SHARE, share.bytes()).u32(); });
    static constinit test::PayloadWriter reclaim;
    reclaim.u32(parcel).u32(0);
    row_once("rm.reclaim_1_gib",
             [&] { (void)test::rpc().must(GH_RM_MEM_RECLAIM, reclaim.bytes()); });
}

// A VM with two vCPUs, a doorbell and scattered pages of memory, which are filled before.
void vm_life() {
    test::guest().create_and_boot(); // the first of all grows tables
    test::guest().stop();
    test::guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    test::guest().tear_down();
    test::guest().begin();
    test::guest().allocate();
    test::guest().fill_memory({.base_address = test::guest_ram_base, .cpus = test::guest_cpus});
    row_once("rm.vm_create", [] {
        test::guest().transfer(test::MemoryLayout::scattered, test::MemoryTransfer::share);
        test::guest().configure_image();
        test::guest().initialise();
        test::guest().read_resources();
        test::guest().start();
        test::guest().run_to_signal(0);
    });
    row_once("rm.vm_destroy", [] {
        test::guest().stop();
        test::guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
        test::guest().tear_down();
    });
}

constexpr Check rows[] = {
    {"bench.boot", boot},
    {"bench.get_vmid", get_vmid},
    {"bench.share_1_gib", share_1_gib},
    {"bench.vm_life", vm_life},
};

} // namespace

std::span<const Check> resource_manager_rows() {
    return rows;
}

} // namespace bench
