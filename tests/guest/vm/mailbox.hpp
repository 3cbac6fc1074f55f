// SPDX-License-Identifier: BSD-3-Clause
// What the checks and the program inside the created VM agree on: addresses and operations.
#pragma once

#include <cstddef>
#include <cstdint>

namespace test {

// The VM's address space.
inline constexpr std::uint64_t guest_ram_base = 0x80000000;
inline constexpr std::uint64_t guest_ram_size = 0x100000;
inline constexpr std::uint64_t guest_mailboxes = 0x80000; // offset in RAM, a page for each vCPU
inline constexpr std::uint64_t guest_dtb = 0xc0000;       // offset in RAM
inline constexpr std::uint64_t guest_dtb_size = 0x4000;
inline constexpr unsigned guest_cpus = 2;
inline constexpr std::uint64_t guest_distributor = 0x3fff0000;
inline constexpr std::uint64_t guest_redistributors = guest_distributor - guest_cpus * 0x20000;
inline constexpr std::uint32_t guest_bell_spi = 40; // INTID
inline constexpr std::uint32_t guest_bell_label = 7;
inline constexpr std::uint32_t guest_bark_spi = 41; // INTID, of its watchdog
/// A vCPU stores here when it waits for the next operation: an exit to us.
inline constexpr std::uint64_t guest_signal = 0x09000000;
inline constexpr std::uint64_t guest_signal_stride = 0x1000; // per vCPU

enum class Operation : std::uint64_t {
    nothing,
    call_hvc, // argument 0..7 = x0..x7; result likewise
    call_smc,
    load,            // argument 0: address, 1: AccessKind; result 0: the whole register
    store,           // argument 0: address, 1: AccessKind, 2: value
    sleep,           // WFI; result 0: counter before, 1: after
    hold_registers,  // argument 0: address, 1: seed: a store of all-pattern registers; result 0:
                     // first register that changed, ~0 none
    hold_system,     // likewise for system registers
    gic_begin,       // distributor, own redistributor and CPU interface on
    gic_enable,      // argument 0: INTID, edge-triggered, routed to this vCPU
    gic_acknowledge, // result 0: ICC_IAR1_EL1
    gic_end,         // argument 0: to ICC_EOIR1_EL1
    send_sgi,        // argument 0: to ICC_SGI1R_EL1
    start_timer,   // argument 0: ticks from now, 1: 0 the virtual timer, 1 the physical one; result
                   // 0: the counter then
    stop_timer,    // both
    spin,          // until `stop` is set; result 0: rounds
    read_identity, // result 0: MPIDR, 1: MIDR, 2: ID_AA64PFR0, 3: CNTVCT, 4: CurrentEL, 5: SCTLR
    fetch,         // argument 0: address to branch to
    swap_untrapped, // result 0, 1: DISR_EL1 and TPIDR2_EL0 (0 if there is none), which then get
                    // argument 0
    read_hidden,    // reads PMCR_EL0
    use_sve,        // writes ZCR_EL1 and executes RDVL
    swap_counters,  // result 0, 1: PMCCNTR_EL0 and PMEVCNTR0_EL0, which then get argument 0
    swap_vectors,   // result 0: RDVL; 1: the bits of all Z registers, P registers and FFR ORed, 2:
                    // whether they hold argument 1's pattern; they then get argument 0's
    store_for_ever, // argument 0: address of a device: an exit for every two instructions
};

/// How a load or store is done.
enum class AccessKind : std::uint64_t {
    byte_w,        // ldrb w, strb
    half_w,        // ldrh w, strh
    word_w,        // ldr w, str w
    double_x,      // ldr x, str x
    signed_byte_w, // ldrsb w
    signed_byte_x, // ldrsb x
    signed_half_w, // ldrsh w
    signed_half_x, // ldrsh x
    signed_word_x, // ldrsw x
    zero_register, // ldr wzr, str wzr
    pair,          // ldp, stp: no syndrome for a hypervisor
    post_indexed,  // ldr with write-back: likewise
    simd,          // ldr q0: likewise
    exclusive,     // ldxr: likewise
    acquire_pair,  // ldaxp: likewise
    // For loads only, whatever they do:
    store_exclusive, // stxr
    atomic_add,      // ldadd, undefined without FEAT_LSE
    compare_swap,    // casp: likewise
    cache_clean,     // dc civac
    cache_zero,      // dc zva
    code_invalidate, // ic ivau
    prefetch,        // prfm
};

struct Mailbox {
    // Written by us.
    std::uint64_t operation;
    std::uint64_t argument[8];
    std::uint64_t stop;
    // Written by the program.
    std::uint64_t result[8];
    std::uint64_t exceptions; // taken since the start
    std::uint64_t esr;        // of the last one
    std::uint64_t elr;
    std::uint64_t far;
    std::uint64_t entry_x0;
    std::uint64_t entry_el;
    std::uint64_t entry_daif;
    std::uint64_t entry_sctlr;
    std::uint64_t secondary_entry; // address for CPU_ON
    std::uint64_t operations;      // finished ones
};

} // namespace test
