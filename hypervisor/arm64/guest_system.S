// SPDX-License-Identifier: BSD-3-Clause
// Saves and loads the EL1 and EL0 registers of a vCPU in pairs. x0 points to a struct GuestState
// (arch/guest_state.hpp), w1 is not 0 where the CPU has pointer keys.

    .macro  save_pair first, second, offset
    mrs     x1, \first
    mrs     x2, \second
    stp     x1, x2, [x0, #\offset]
    .endm

    .macro  load_pair first, second, offset
    ldp     x1, x2, [x0, #\offset]
    msr     \first, x1
    msr     \second, x2
    .endm

    .macro  for_system_registers pair
    \pair   sctlr_el1, cpacr_el1, 0
    \pair   ttbr0_el1, ttbr1_el1, 16
    \pair   tcr_el1, esr_el1, 32
    \pair   far_el1, afsr0_el1, 48
    \pair   afsr1_el1, mair_el1, 64
    \pair   amair_el1, vbar_el1, 80
    \pair   contextidr_el1, tpidr_el0, 96
    \pair   tpidrro_el0, tpidr_el1, 112
    \pair   cntkctl_el1, par_el1, 128
    \pair   csselr_el1, sp_el0, 144
    \pair   sp_el1, elr_el1, 160
    .endm

    // Key registers by encoding, so that an Armv8.0 assembler target accepts them (S3_0_C2_C1..C3).
    .macro  for_keys pair
    \pair   s3_0_c2_c1_0, s3_0_c2_c1_1, 192
    \pair   s3_0_c2_c1_2, s3_0_c2_c1_3, 208
    \pair   s3_0_c2_c2_0, s3_0_c2_c2_1, 224
    \pair   s3_0_c2_c2_2, s3_0_c2_c2_3, 240
    \pair   s3_0_c2_c3_0, s3_0_c2_c3_1, 256
    .endm

    .section .text.guest_system, "ax"

    .global arch_system_save
    .type arch_system_save, %function
arch_system_save:
    cbz     w1, 1f
    for_keys save_pair
1:  for_system_registers save_pair
    mrs     x1, spsr_el1
    str     x1, [x0, #176]
    ret
    .size arch_system_save, . - arch_system_save

    .global arch_system_load
    .type arch_system_load, %function
arch_system_load:
    cbz     w1, 1f
    for_keys load_pair
1:  for_system_registers load_pair
    load_pair spsr_el1, vmpidr_el2, 176
    ret
    .size arch_system_load, . - arch_system_load
