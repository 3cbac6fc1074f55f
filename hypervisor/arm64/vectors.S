// SPDX-License-Identifier: BSD-3-Clause
// EL2's exception vectors (Arm ARM D1.3.1.5). From a lower EL: the exit of a vCPU (guest_exit.S).
// From EL2 itself: always fatal, dumped on the emergency stack because the cause may be the stack.

#define PERCPU_EMERGENCY_STACK 32
#define FRAME_SIZE      288             // struct El2Frame, 16-byte aligned
#define FRAME_LR_SP     240
#define FRAME_ELR_SPSR  256
#define FRAME_ESR_FAR   272

    .macro  fatal vector
    .balign 0x80
    // The VM's registers are of no use any more: two of them serve as scratch.
    msr     tpidr_el1, x0
    msr     sp_el0, x1
    mov     w1, #\vector
    b       el2_fatal
    .endm

    .macro  lower name
    .balign 0x80
    b       guest_exit_\name
    .endm

    .section .text.vectors, "ax"
    .balign 0x800
    .global el2_vectors
el2_vectors:
    .irp    vector, 0, 1, 2, 3, 4, 5, 6, 7  // current EL with SP_EL0, then with SP_EL2
    fatal   \vector
    .endr
    .rept   2                   // lower EL, AArch64; AArch32: 32-bit programs at EL0 of a 64-bit VM
    lower   sync
    lower   irq
    lower   fiq
    lower   serror
    .endr
    .balign 0x80

el2_fatal:
    mrs     x0, tpidr_el2
    ldr     x0, [x0, #PERCPU_EMERGENCY_STACK]
    sub     x0, x0, #FRAME_SIZE
    stp     x2, x3, [x0, #16]
    mrs     x2, tpidr_el1
    mrs     x3, sp_el0
    stp     x2, x3, [x0, #0]
    stp     x4, x5, [x0, #32]
    stp     x6, x7, [x0, #48]
    stp     x8, x9, [x0, #64]
    stp     x10, x11, [x0, #80]
    stp     x12, x13, [x0, #96]
    stp     x14, x15, [x0, #112]
    stp     x16, x17, [x0, #128]
    stp     x18, x19, [x0, #144]
    stp     x20, x21, [x0, #160]
    stp     x22, x23, [x0, #176]
    stp     x24, x25, [x0, #192]
    stp     x26, x27, [x0, #208]
    stp     x28, x29, [x0, #224]
    mov     x2, sp
    stp     x30, x2, [x0, #FRAME_LR_SP]
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    stp     x2, x3, [x0, #FRAME_ELR_SPSR]
    mrs     x2, esr_el2
    mrs     x3, far_el2
    stp     x2, x3, [x0, #FRAME_ESR_FAR]
    mov     sp, x0
    mov     x29, xzr
    mov     x30, xzr
    bl      el2_exception       // (const El2Frame*, unsigned vector), never returns
