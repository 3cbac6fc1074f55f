// SPDX-License-Identifier: BSD-3-Clause
// The operations, each the few instructions that a check wants to see executed in the VM.
#include "vm/program/operations.hpp"

#include "calls/register_image.hpp"
#include "calls/smccc.hpp"
#include "machine/mmio.hpp"
#include "machine/sve.hpp"
#include "machine/sysreg.hpp"
#include "machine/system_image.hpp"

namespace test {

namespace {

constinit sve::Area vectors{};

void enable_simd() {
    WRITE_SYSREG(cpacr_el1, READ_SYSREG(cpacr_el1) | 3u << 20);
    isb();
}

std::uint64_t load(std::uint64_t address, AccessKind kind) {
    std::uint64_t value = 0x5555'5555'5555'5555; // a narrow load must clear the upper half
// NOLINTNEXTLINE(bugprone-macro-parentheses): an assembly template is no expression
#define LOAD(instruction) asm volatile(instruction : "+r"(value) : "r"(address) : "memory")
    switch (kind) {
    case AccessKind::byte_w:
        LOAD("ldrb %w0, [%1]");
        break;
    case AccessKind::half_w:
        LOAD("ldrh %w0, [%1]");
        break;
    case AccessKind::word_w:
        LOAD("ldr %w0, [%1]");
        break;
    case AccessKind::double_x:
        LOAD("ldr %0, [%1]");
        break;
    case AccessKind::signed_byte_w:
        LOAD("ldrsb %w0, [%1]");
        break;
    case AccessKind::signed_byte_x:
        LOAD("ldrsb %0, [%1]");
        break;
    case AccessKind::signed_half_w:
        LOAD("ldrsh %w0, [%1]");
        break;
    case AccessKind::signed_half_x:
        LOAD("ldrsh %0, [%1]");
        break;
    case AccessKind::signed_word_x:
        LOAD("ldrsw %0, [%1]");
        break;
    case AccessKind::zero_register:
        asm volatile("ldr wzr, [%0]" : : "r"(address) : "memory");
        break;
    case AccessKind::pair:
        asm volatile("ldp %0, x8, [%1]" : "+r"(value) : "r"(address) : "x8", "memory");
        break;
    case AccessKind::post_indexed:
        asm volatile("ldr %0, [%1], #8" : "+r"(value), "+r"(address) : : "memory");
        break;
    case AccessKind::simd:
        enable_simd();
        asm volatile(".arch_extension simd\n\tldr q0, [%0]" : : "r"(address) : "memory");
        break;
    case AccessKind::exclusive:
        asm volatile("ldxr %0, [%1]" : "+r"(value) : "r"(address) : "memory");
        break;
    case AccessKind::acquire_pair:
        asm volatile("ldaxp %0, x8, [%1]" : "+r"(value) : "r"(address) : "x8", "memory");
        break;
    case AccessKind::store_exclusive:
        asm volatile("stxr w8, %0, [%1]" : : "r"(value), "r"(address) : "x8", "memory");
        break;
    case AccessKind::atomic_add:
        asm volatile(".arch_extension lse\n\tldadd %0, %0, [%1]"
                     : "+r"(value)
                     : "r"(address)
                     : "memory");
        break;
    case AccessKind::compare_swap:
        asm volatile(".arch_extension lse\n\tcasp x8, x9, x10, x11, [%0]"
                     :
                     : "r"(address)
                     : "x8", "x9", "memory");
        break;
    case AccessKind::cache_clean:
        asm volatile("dc civac, %0" : : "r"(address) : "memory");
        break;
    case AccessKind::cache_zero:
        asm volatile("dc zva, %0" : : "r"(address) : "memory");
        break;
    case AccessKind::code_invalidate:
        asm volatile("ic ivau, %0" : : "r"(address) : "memory");
        break;
    case AccessKind::prefetch:
        asm volatile("prfm pldl1keep, [%0]" : : "r"(address) : "memory");
        break;
    }
#undef LOAD
    return value;
}

void store(std::uint64_t address, AccessKind kind, std::uint64_t value) {
    switch (kind) {
    case AccessKind::byte_w:
        asm volatile("strb %w0, [%1]" : : "r"(value), "r"(address) : "memory");
        break;
    case AccessKind::half_w:
        asm volatile("strh %w0, [%1]" : : "r"(value), "r"(address) : "memory");
        break;
    case AccessKind::word_w:
        asm volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
        break;
    case AccessKind::zero_register:
        asm volatile("str wzr, [%0]" : : "r"(address) : "memory");
        break;
    case AccessKind::pair:
        asm volatile("stp %0, %0, [%1]" : : "r"(value), "r"(address) : "memory");
        break;
    default:
        asm volatile("str %0, [%1]" : : "r"(value), "r"(address) : "memory");
        break;
    }
}

constinit RegisterImage before[guest_cpus]{};
constinit RegisterImage after[guest_cpus]{};

std::uint64_t hold_registers(unsigned cpu, std::uint64_t address, std::uint64_t seed) {
    fill_pattern(before[cpu], seed);
    before[cpu].x[1] = address;
    execute_store(&before[cpu], &after[cpu]);
    return static_cast<std::uint64_t>(
        static_cast<std::int64_t>(first_difference(before[cpu], after[cpu], 0)));
}

std::uint64_t hold_system(std::uint64_t address, std::uint64_t seed) {
    const SystemImage saved = read_system_registers();
    const SystemImage wanted = fill_system_registers(seed);
    mmio::write32(address, 0);
    const SystemImage got = read_system_registers();
    write_system_registers(saved);
    for (std::size_t i = 0; i < system_register_count(); ++i) {
        if (wanted[i] != got[i]) {
            return i;
        }
    }
    return ~std::uint64_t{0};
}

std::uint64_t redistributor(unsigned cpu) {
    return guest_redistributors + cpu * 0x20000ULL;
}

void gic_begin(unsigned cpu) {
    mmio::write32(guest_distributor, 1u << 4 | 1u << 1); // GICD_CTLR: ARE, EnableGrp1
    mmio::write32(redistributor(cpu) + 0x14, 0);         // GICR_WAKER
    mmio::write32(redistributor(cpu) + 0x10080, ~0u);    // IGROUPR0
    mmio::write32(redistributor(cpu) + 0x10100, 0xffff); // ISENABLER0: SGIs
    WRITE_SYSREG(s3_0_c12_c12_5, std::uint64_t{7});      // ICC_SRE_EL1
    isb();
    WRITE_SYSREG(s3_0_c4_c6_0, std::uint64_t{0xff}); // ICC_PMR_EL1
    WRITE_SYSREG(s3_0_c12_c12_7, std::uint64_t{1});  // ICC_IGRPEN1_EL1
    isb();
}

void gic_enable(unsigned cpu, std::uint64_t intid) {
    const std::uint64_t base = intid < 32 ? redistributor(cpu) + 0x10000 : guest_distributor;
    const std::uint32_t bit = 1u << intid % 32;
    mmio::write8(base + 0x400 + intid, 0xa0);
    if (intid >= 32) {
        mmio::write32(base + 0x80 + intid / 32 * 4, ~0u);
        mmio::write32(base + 0xc00 + intid / 16 * 4, 2u << intid % 16 * 2);
        mmio::write64(base + 0x6000 + intid * 8, cpu);
    }
    mmio::write32(base + 0x100 + intid / 32 * 4, bit);
}

void call(Mailbox& mailbox, bool by_smc) {
    CallRegisters in{};
    for (unsigned i = 0; i < 8; ++i) {
        in.x[i] = mailbox.argument[i];
    }
    const CallRegisters out = by_smc ? detail::call<true, 0>(in) : detail::call<false, 0>(in);
    for (unsigned i = 0; i < 8; ++i) {
        mailbox.result[i] = out.x[i];
    }
}

std::uint64_t counter() {
    isb();
    return READ_SYSREG(cntvct_el0);
}

void sleep(Mailbox& mailbox) {
    mailbox.result[0] = counter();
    wait_for_interrupt();
    mailbox.result[1] = counter();
}

void spin(Mailbox& mailbox) {
    std::uint64_t rounds = 0;
    volatile std::uint64_t& stop = mailbox.stop;
    while (stop == 0) {
        rounds = rounds + 1;
        asm volatile("" : "+r"(rounds));
    }
    mailbox.result[0] = rounds;
}

void read_identity(Mailbox& mailbox) {
    mailbox.result[0] = READ_SYSREG(mpidr_el1);
    mailbox.result[1] = READ_SYSREG(midr_el1);
    mailbox.result[2] = READ_SYSREG(id_aa64pfr0_el1);
    mailbox.result[3] = counter();
    mailbox.result[4] = READ_SYSREG(currentel);
    mailbox.result[5] = READ_SYSREG(sctlr_el1);
}

std::uint64_t start_timer(std::uint64_t ticks, bool is_physical) {
    const std::uint64_t at = counter() + ticks;
    if (is_physical) {
        WRITE_SYSREG(cntp_cval_el0, at);
        WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{1});
    } else {
        WRITE_SYSREG(cntv_cval_el0, at);
        WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{1});
    }
    isb();
    return at;
}

void perform_gic(Mailbox& mailbox, unsigned cpu) {
    const std::uint64_t argument = mailbox.argument[0];
    switch (static_cast<Operation>(mailbox.operation)) {
    case Operation::gic_begin:
        gic_begin(cpu);
        break;
    case Operation::gic_enable:
        gic_enable(cpu, argument);
        break;
    case Operation::gic_acknowledge:
        mailbox.result[0] = READ_SYSREG(s3_0_c12_c12_0);
        dsb();
        break;
    case Operation::gic_end:
        WRITE_SYSREG(s3_0_c12_c12_1, argument);
        isb();
        break;
    default: // send_sgi
        dsb();
        WRITE_SYSREG(s3_0_c12_c11_5, argument);
        isb();
        break;
    }
}

} // namespace

void perform(Mailbox& mailbox, unsigned cpu) {
    const std::uint64_t* argument = mailbox.argument;
    switch (static_cast<Operation>(mailbox.operation)) {
    case Operation::nothing:
        break;
    case Operation::call_hvc:
        call(mailbox, false);
        break;
    case Operation::call_smc:
        call(mailbox, true);
        break;
    case Operation::load:
        mailbox.result[0] = load(argument[0], static_cast<AccessKind>(argument[1]));
        break;
    case Operation::store:
        store(argument[0], static_cast<AccessKind>(argument[1]), argument[2]);
        break;
    case Operation::sleep:
        sleep(mailbox);
        break;
    case Operation::hold_registers:
        mailbox.result[0] = hold_registers(cpu, argument[0], argument[1]);
        break;
    case Operation::hold_system:
        mailbox.result[0] = hold_system(argument[0], argument[1]);
        break;
    case Operation::start_timer:
        mailbox.result[0] = start_timer(argument[0], argument[1] != 0);
        break;
    case Operation::stop_timer:
        WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{0});
        WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{0});
        isb();
        break;
    case Operation::spin:
        spin(mailbox);
        break;
    case Operation::read_identity:
        read_identity(mailbox);
        break;
    case Operation::fetch:
        asm volatile("blr %0" : : "r"(argument[0]) : "x30", "memory");
        break;
    case Operation::swap_untrapped: {
        const UntrappedImage found = read_untrapped_registers();
        mailbox.result[0] = found.disr;
        mailbox.result[1] = found.tpidr2;
        write_untrapped_registers({argument[0], argument[0]});
        break;
    }
    case Operation::read_hidden:
        asm volatile("mrs x8, pmcr_el0" : : : "x8", "memory");
        break;
    case Operation::swap_counters:
        mailbox.result[0] = READ_SYSREG(pmccntr_el0);
        mailbox.result[1] = READ_SYSREG(pmevcntr0_el0);
        WRITE_SYSREG(pmccntr_el0, argument[0]);
        WRITE_SYSREG(pmevcntr0_el0, argument[0]);
        WRITE_SYSREG(pmcntenset_el0, std::uint64_t{1} << 31);
        WRITE_SYSREG(pmcr_el0, READ_SYSREG(pmcr_el0) | 1);
        isb();
        break;
    case Operation::use_sve:
        WRITE_SYSREG(cpacr_el1, READ_SYSREG(cpacr_el1) | 3u << 16);
        isb();
        WRITE_SYSREG(s3_0_c1_c2_0, std::uint64_t{0xf});
        asm volatile(".inst 0x04bf5028" : : : "x8"); // rdvl x8, #1
        break;
    case Operation::swap_vectors:
        sve::enable();
        mailbox.result[0] = sve::vector_bytes();
        mailbox.result[1] = sve::any_bit(vectors);
        mailbox.result[2] = sve::holds(vectors, argument[1]) ? 1 : 0;
        sve::fill(vectors, argument[0]);
        break;
    case Operation::store_for_ever:
        for (;;) {
            mmio::write64(argument[0], 0);
        }
    default:
        perform_gic(mailbox, cpu);
        break;
    }
}

} // namespace test
