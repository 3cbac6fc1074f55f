// SPDX-License-Identifier: BSD-3-Clause
// EL1's exception vectors: save the general registers as struct ExceptionFrame, call the C++ part,
// and go on with what it left there.

#define FRAME_SIZE      272             // x0..x30, ELR, SPSR; 16-byte aligned
#define FRAME_LR_ELR    240
#define FRAME_SPSR      256

    .macro  enter vector
    .balign 0x80
    sub     sp, sp, #FRAME_SIZE
    stp     x0, x1, [sp]
    mov     w1, #\vector
    b       save_and_handle
    .endm

    .section .text.vectors, "ax"
    .balign 0x800
    .global vectors
vectors:
    enter   0                   // current EL with SP_EL0
    enter   1
    enter   2
    enter   3
    enter   4                   // current EL with SP_EL1
    enter   5
    enter   6
    enter   7
    enter   8                   // lower EL, AArch64
    enter   9
    enter   10
    enter   11
    enter   12                  // lower EL, AArch32
    enter   13
    enter   14
    enter   15
    .balign 0x80

save_and_handle:
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    mrs     x2, elr_el1
    stp     x30, x2, [sp, #FRAME_LR_ELR]
    mrs     x2, spsr_el1
    str     x2, [sp, #FRAME_SPSR]
    mov     x0, sp
    bl      handle_exception
    ldr     x2, [sp, #FRAME_SPSR]
    msr     spsr_el1, x2
    ldp     x30, x2, [sp, #FRAME_LR_ELR]
    msr     elr_el1, x2
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
    ldp     x0, x1, [sp], #FRAME_SIZE
    eret
