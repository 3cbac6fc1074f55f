// SPDX-License-Identifier: BSD-3-Clause
// Calls on doorbells, message queues, interrupts and watchdogs.
#include "call_row.hpp"

namespace root {

namespace {

constexpr std::int64_t ok = GH_ERROR_OK;
constexpr std::int64_t bad = GH_ERROR_ARG_INVAL;
constexpr std::int64_t bad_size = GH_ERROR_ARG_SIZE;
constexpr std::uint64_t unchanged = ~std::uint64_t{0};

constexpr Argument vic = active(Kind::vic, GH_RIGHT_VIC_BIND_SOURCE);
constexpr Argument irq = v(40);
constexpr Argument not_an_irq = v(1ull << 32);
constexpr Argument bell_bind = active(Kind::doorbell, GH_RIGHT_DOORBELL_BIND);
constexpr Argument bell_receive = active(Kind::doorbell, GH_RIGHT_DOORBELL_RECEIVE);
constexpr Argument send = active(Kind::msgqueue, GH_RIGHT_MSGQUEUE_SEND);
constexpr Argument receive = active(Kind::msgqueue, GH_RIGHT_MSGQUEUE_RECEIVE);
constexpr Argument bind_send = active(Kind::msgqueue, GH_RIGHT_MSGQUEUE_BIND_SEND);
constexpr Argument bind_receive = active(Kind::msgqueue, GH_RIGHT_MSGQUEUE_BIND_RECEIVE);
constexpr Argument new_queue = initial(Kind::msgqueue);
constexpr Argument hwirq = in_any_state(active(Kind::hwirq, GH_RIGHT_HWIRQ_BIND_VIC));
constexpr Argument new_thread = initial(Kind::thread);
constexpr Argument watchdog = active(Kind::watchdog, GH_RIGHT_WATCHDOG_BIND_VIRQ);

constexpr Row rows[] = {
    {0x10, "doorbell_bind_virq", ok, {bell_bind, vic, irq, zero}},
    {0x10, "", bad, {bell_bind, vic, not_an_irq, zero}, " reserved bits"},
    {0x10, "", bad, {bell_bind, vic, v(5), zero}, " an SGI"},
    {0x10, "", bad, {bell_bind, vic, v(64), zero}, " beyond the VIC's interrupts"},
    {0x11, "doorbell_unbind_virq", ok, {bell_bind, zero}},
    {0x12, "doorbell_send", ok, {active(Kind::doorbell, GH_RIGHT_DOORBELL_SEND), v(1), zero}},
    {0xf3, "doorbell_ring", ok, {active(Kind::doorbell, GH_RIGHT_DOORBELL_SEND), v(1), zero}},
    {0x13, "doorbell_receive", ok, {bell_receive, v(1), zero}},
    {0x13, "", bad, {bell_receive, v(0), zero}, " no flags"},
    {0x14, "doorbell_reset", ok, {bell_receive, zero}},
    {0x15, "doorbell_mask", ok, {bell_receive, v(1), v(1), zero}},

    {0x17, "msgqueue_bind_send_virq", ok, {bind_send, vic, irq, zero}},
    {0x17, "", bad, {bind_send, vic, not_an_irq, zero}, " reserved bits"},
    {0x18, "msgqueue_bind_receive_virq", ok, {bind_receive, vic, irq, zero}},
    {0x18, "", bad, {bind_receive, vic, not_an_irq, zero}, " reserved bits"},
    {0x19, "msgqueue_unbind_send_virq", ok, {bind_send, zero}},
    {0x1a, "msgqueue_unbind_receive_virq", ok, {bind_receive, zero}},
    {0x1b, "msgqueue_send", ok, {send, v(8), buffer, v(1), zero}},
    {0x1b, "", bad_size, {send, v(0), buffer, v(0), zero}, " nothing"},
    {0x1b, "", bad_size, {send, v(17), buffer, v(0), zero}, " over the queue's limit"},
    {0x1b, "", bad_size, {send, v(241), buffer, v(0), zero}, " over every limit"},
    {0x1b, "", bad, {send, v(8), buffer, v(2), zero}, " unknown flag"},
    {0x1b, "", GH_ERROR_ADDR_INVAL, {send, v(8), v(0x1000), v(0), zero}, " not mapped"},
    {0x1c, "msgqueue_receive", GH_ERROR_MSGQUEUE_EMPTY, {receive, buffer, v(240), zero}},
    {0x1d, "msgqueue_flush", ok, {receive, zero}},
    {0x1f, "msgqueue_configure_send", ok, {send, v(1), v(100), minus_one}},
    {0x1f, "", ok, {send, v(unchanged), v(unchanged), minus_one}, " no change"},
    {0x1f, "", bad, {send, v(4), v(0), minus_one}, " threshold at the depth"},
    {0x1f, "", bad, {send, v(1), v(10'000'001), minus_one}, " too long a delay"},
    {0x20, "msgqueue_configure_receive", ok, {receive, v(1), v(100), minus_one}},
    {0x20, "", ok, {receive, v(unchanged - 1), v(unchanged), minus_one}, " the depth"},
    {0x20, "", bad, {receive, v(0), v(0), minus_one}, " threshold 0"},
    {0x20, "", bad, {receive, v(5), v(0), minus_one}, " threshold beyond the depth"},
    {0x21, "msgqueue_configure", ok, {new_queue, v(4 | 16 << 16), zero}},
    {0x21, "", bad, {new_queue, v(16 << 16), zero}, " no depth"},
    {0x21, "", bad, {new_queue, v(4), zero}, " no size"},
    {0x21, "", bad, {new_queue, v(257 | 16 << 16), zero}, " too deep"},
    {0x21, "", bad, {new_queue, v(4 | 241 << 16), zero}, " too large"},
    {0x21, "", bad, {new_queue, v(1ull << 32 | 4 | 16 << 16), zero}, " reserved bits"},

    {0x26, "hwirq_bind_virq", ok, {hwirq, vic, irq, zero}},
    {0x26, "", bad, {hwirq, vic, not_an_irq, zero}, " reserved bits"},
    {0x27, "hwirq_unbind_virq", ok, {hwirq, zero}},
    {0x28, "vic_configure", ok, {initial(Kind::vic), v(1), v(32), zero}},
    {0x28, "", bad, {initial(Kind::vic), v(0), v(32), zero}, " no vCPU"},
    {0x28, "", bad, {initial(Kind::vic), v(65), v(32), zero}, " too many vCPUs"},
    {0x28, "", bad, {initial(Kind::vic), v(1), v(989), zero}, " too many interrupts"},
    {0x29,
     "vic_attach_vcpu",
     ok,
     {active(Kind::vic, GH_RIGHT_VIC_ATTACH_VCPU), new_thread, v(0), zero}},
    {0x29,
     "",
     bad,
     {active(Kind::vic, GH_RIGHT_VIC_ATTACH_VCPU), new_thread, v(1), zero},
     " index beyond the vCPUs"},
    {0x56,
     "vic_bind_msi_source",
     GH_ERROR_CSPACE_WRONG_OBJ_TYPE,
     {vic, of_any_type(active(Kind::doorbell, 0)), v(0), zero}},

    {0x58, "watchdog_configure", ok, {initial(Kind::watchdog), v(1), zero}},
    {0x58, "", bad, {initial(Kind::watchdog), v(2), zero}, " unknown flag"},
    {0x40,
     "watchdog_attach_vcpu",
     ok,
     {active(Kind::watchdog, GH_RIGHT_WATCHDOG_ATTACH_VCPU), new_thread, zero}},
    {0x41, "watchdog_bind_virq", ok, {watchdog, vic, irq, v(1)}},
    {0x41, "", bad, {watchdog, vic, irq, v(2)}, " unknown flag"},
    {0x41, "", bad, {watchdog, vic, not_an_irq, v(0)}, " reserved bits"},
    {0x42, "watchdog_unbind_virq", ok, {watchdog, v(0)}},
    {0x42, "", bad, {watchdog, v(2)}, " unknown flag"},
    {0x63, "watchdog_manage", ok, {watchdog, v(0)}},
    {0x63, "", ok, {watchdog, v(1)}, " freeze and reset"},
    {0x63, "", GH_ERROR_BUSY, {watchdog, v(2)}, " not frozen"},
    {0x63, "", bad, {watchdog, v(3)}, " unknown operation"},
};

} // namespace

std::span<const Row> communication_rows() {
    return rows;
}

} // namespace root
