// SPDX-License-Identifier: BSD-3-Clause
// The measuring guest: does each operation many times and keeps what the counter says of each.
#include "../../../tests/guest/machine/mmio.hpp"
#include "../../../tests/guest/machine/sysreg.hpp"
#include "../protocol.hpp"

#include <runtime/panic.hpp>

extern "C" const char secondary_entry[];

namespace bench {

namespace {

using test::isb;
namespace mmio = test::mmio;

// Instructions, QEMU's counter being one tick for each: long enough for the other side to settle.
constexpr std::uint64_t settle_time = 300'000;
constexpr std::uint64_t timer_delay = 500'000;
constexpr std::uint64_t busy_time = 200'000;
// As many that the driver tries at least once what it did not after the last busy time.
constexpr unsigned rings_of_a_busy_sample = 20;
constexpr unsigned quick_samples = 2000;
constexpr unsigned slow_samples = 200;
constexpr unsigned busy_samples = 10;

Control& control() {
    return *reinterpret_cast<Control*>(ram_base + control_offset);
}

// No barrier: with one instruction per tick program order is all that counts.
std::uint64_t now() {
    return READ_SYSREG(cntvct_el0);
}

void device_write(Register offset, std::uint32_t value) {
    mmio::write32(device_base + offset, value);
}

void hvc(std::uint64_t function, std::uint64_t x1, std::uint64_t x2, std::uint64_t x3) {
    register std::uint64_t a0 asm("x0") = function;
    register std::uint64_t a1 asm("x1") = x1;
    register std::uint64_t a2 asm("x2") = x2;
    register std::uint64_t a3 asm("x3") = x3;
    asm volatile("hvc #0" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3) : : "memory");
}

// Sleeps until this vCPU has had another interrupt. The look and the WFI are one step, because a
// masked interrupt ends a WFI too.
void sleep_until_interrupted(unsigned self, std::uint64_t seen) {
    for (;;) {
        test::mask_interrupts();
        if (control().interrupts[self] != seen) {
            test::unmask_interrupts();
            return;
        }
        test::wait_for_interrupt();
        test::unmask_interrupts();
        isb();
    }
}

void set_timer(std::uint64_t deadline) {
    WRITE_SYSREG(cntv_cval_el0, deadline);
    WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{1});
    isb();
}

// Lets all others go to sleep.
void settle() {
    const std::uint64_t seen = control().interrupts[0];
    set_timer(now() + settle_time);
    sleep_until_interrupted(0, seen);
}

void report(Row row, unsigned count) {
    control().count = count;
    test::dsb();
    device_write(reg_report, row);
}

/// Times `operation` on its own, `count` times.
template <typename Operation>
void measure(Row row, unsigned count, Operation operation) {
    for (unsigned i = 0; i < count; ++i) {
        const std::uint64_t begin = now();
        operation();
        control().samples[i] = static_cast<std::uint32_t>(now() - begin);
    }
    report(row, count);
}

/// Takes what `operation` returns as the time.
template <typename Operation>
void collect(Row row, unsigned count, Operation operation) {
    for (unsigned i = 0; i < count; ++i) {
        control().samples[i] = static_cast<std::uint32_t>(operation());
    }
    report(row, count);
}

void begin_interrupts(unsigned self) {
    const std::uint64_t redistributor = redistributors + self * 0x2'0000ULL;
    constexpr unsigned intid = 32 + device_spi;
    if (self == 0) {
        mmio::write32(distributor, 1u << 4 | 1u << 1);           // GICD_CTLR: ARE, EnableGrp1
        mmio::write32(distributor + 0x80 + intid / 32 * 4, ~0u); // GICD_IGROUPR
        mmio::write32(distributor + 0xc00 + intid / 16 * 4, 2u << intid % 16 * 2);
        mmio::write8(distributor + 0x400 + intid, 0xa0);    // GICD_IPRIORITYR
        mmio::write64(distributor + 0x6000 + intid * 8, 0); // GICD_IROUTER
        mmio::write32(distributor + 0x100 + intid / 32 * 4, 1u << intid % 32);
    }
    mmio::write32(redistributor + 0x14, 0);      // GICR_WAKER
    mmio::write32(redistributor + 0x10080, ~0u); // GICR_IGROUPR0
    mmio::write32(redistributor + 0x10400, 0xa0a0a0a0);
    mmio::write32(redistributor + 0x10418, 0xa0a0a0a0);
    mmio::write32(redistributor + 0x10100, 1u << 27 | 0xf); // GICR_ISENABLER0
    WRITE_SYSREG(s3_0_c12_c12_5, std::uint64_t{7});         // ICC_SRE_EL1
    isb();
    WRITE_SYSREG(s3_0_c4_c6_0, std::uint64_t{0xff}); // ICC_PMR_EL1
    WRITE_SYSREG(s3_0_c12_c12_7, std::uint64_t{1});  // ICC_IGRPEN1_EL1
    isb();
    test::unmask_interrupts();
}

void send_sgi(unsigned target) {
    WRITE_SYSREG(s3_0_c12_c11_5, std::uint64_t{1} << target);
}

void measure_accesses() {
    measure(row_mmio_write, quick_samples, [] { device_write(reg_echo, 1); });
    measure(row_mmio_read, quick_samples, [] { mmio::read32(device_base + reg_echo); });
    measure(row_ioeventfd, quick_samples, [] { device_write(reg_event, 1); });
    measure(row_hypercall, quick_samples, [] { hvc(0x8400'0000, 0, 0, 0); });
    measure(row_gicd_read, quick_samples, [] { mmio::read32(distributor + 4); });
}

void measure_irqfd() {
    collect(row_irqfd_in_exit, quick_samples, [] {
        const std::uint64_t seen = control().interrupts[0];
        device_write(reg_ring_now, 1);
        sleep_until_interrupted(0, seen);
        return control().handled[0] - control().stamp;
    });
    collect(row_irqfd_beyond_exit, quick_samples, [] {
        const std::uint64_t seen = control().interrupts[0];
        const std::uint64_t begin = now();
        device_write(reg_ring_now, 1);
        sleep_until_interrupted(0, seen);
        return control().handled[0] - begin;
    });
    collect(row_irqfd_in_wfi, slow_samples, [] {
        const std::uint64_t seen = control().interrupts[0];
        device_write(reg_ring_later, 1);
        sleep_until_interrupted(0, seen);
        return control().handled[0] - control().stamp;
    });
}

// The most that one of several writes takes: the driver may lend the writer's time to the guest,
// but only a little of it.
std::uint64_t longest_ring() {
    std::uint64_t longest = 0;
    for (unsigned i = 0; i < rings_of_a_busy_sample; ++i) {
        const std::uint64_t seen = control().interrupts[0];
        device_write(reg_ring_later, 1);
        sleep_until_interrupted(0, seen);
        const std::uint64_t begin = now();
        while (now() - begin < busy_time) {
        }
        settle(); // until it has rung in any case
        const std::uint64_t time = control().rung - control().stamp;
        longest = time > longest ? time : longest;
    }
    return longest;
}

void measure_timer() {
    collect(row_timer_in_wfi, slow_samples, [] {
        const std::uint64_t seen = control().interrupts[0];
        const std::uint64_t deadline = now() + timer_delay;
        set_timer(deadline);
        sleep_until_interrupted(0, seen);
        return control().handled[0] - deadline;
    });
    collect(row_timer_while_busy, slow_samples, [] {
        const std::uint64_t seen = control().interrupts[0];
        const std::uint64_t deadline = now() + 10'000;
        set_timer(deadline);
        while (control().interrupts[0] == seen) {
        }
        return control().handled[0] - deadline;
    });
}

void measure_sgi() {
    collect(row_sgi_self, quick_samples, [] {
        const std::uint64_t begin = now();
        send_sgi(0);
        isb();
        return control().handled[0] - begin;
    });
    constexpr std::uint64_t psci_cpu_on = 0xc400'0003;
    hvc(psci_cpu_on, 1, reinterpret_cast<std::uint64_t>(secondary_entry), 0);
    while (control().second_ready == 0) {
    }
    collect(row_sgi_in_wfi, slow_samples, [] {
        settle();
        const std::uint64_t seen = control().interrupts[0];
        const std::uint64_t begin = now();
        send_sgi(1);
        sleep_until_interrupted(0, seen);
        return control().handled[1] - begin;
    });
    measure(row_sgi_ping_pong, slow_samples, [] {
        const std::uint64_t seen = control().interrupts[0];
        send_sgi(1);
        sleep_until_interrupted(0, seen);
    });
}

[[noreturn]] void answer_sgis() {
    std::uint64_t seen = control().interrupts[1];
    control().second_ready = 1;
    for (;;) {
        sleep_until_interrupted(1, seen);
        seen = control().interrupts[1];
        send_sgi(0);
    }
}

} // namespace

extern "C" [[noreturn]] void bench_main(unsigned self) {
    begin_interrupts(self);
    if (self != 0) {
        answer_sgis();
    }
    if (control().task == task_measure) {
        measure(row_empty, quick_samples, [] {});
        measure_accesses();
        measure_irqfd();
        collect(row_irqfd_write_busy, busy_samples, longest_ring);
        measure_timer();
        measure_sgi();
    }
    for (;;) {
        device_write(reg_done, 0);
    }
}

} // namespace bench

void rt::panic(const char*) {
    for (;;) {
    }
}
