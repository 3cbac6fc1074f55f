// SPDX-License-Identifier: BSD-3-Clause
// Entry points and exception vectors of the hostile program. MMU off throughout. Vectors keep every
// general register, so that a register that changed over a trap was changed below.

    .arch_extension fp
    .arch_extension simd

#define CPACR_FPEN      (3 << 20)
#define STACK_SIZE      16384
#define FRAME_SIZE      288

    .section .head.text, "ax"
    .global _start
_start:
    msr     tpidrro_el0, x30    // the entry state, before anything of it is lost
    ldr     x30, =entry_registers
    stp     x0, x1, [x30]
    stp     x2, x3, [x30, #16]
    stp     x4, x5, [x30, #32]
    stp     x6, x7, [x30, #48]
    stp     x8, x9, [x30, #64]
    stp     x10, x11, [x30, #80]
    stp     x12, x13, [x30, #96]
    stp     x14, x15, [x30, #112]
    stp     x16, x17, [x30, #128]
    stp     x18, x19, [x30, #144]
    stp     x20, x21, [x30, #160]
    stp     x22, x23, [x30, #176]
    stp     x24, x25, [x30, #192]
    stp     x26, x27, [x30, #208]
    stp     x28, x29, [x30, #224]
    mrs     x0, tpidrro_el0
    mov     x1, #CPACR_FPEN
    msr     cpacr_el1, x1
    isb
    mrs     x1, fpcr
    stp     x0, x1, [x30, #240]
    mrs     x1, fpsr
    stp     x1, xzr, [x30, #256]
    stp     q0, q1, [x30, #272]
    stp     q2, q3, [x30, #304]
    stp     q4, q5, [x30, #336]
    stp     q6, q7, [x30, #368]
    stp     q8, q9, [x30, #400]
    stp     q10, q11, [x30, #432]
    stp     q12, q13, [x30, #464]
    stp     q14, q15, [x30, #496]
    stp     q16, q17, [x30, #528]
    stp     q18, q19, [x30, #560]
    stp     q20, q21, [x30, #592]
    stp     q22, q23, [x30, #624]
    stp     q24, q25, [x30, #656]
    stp     q26, q27, [x30, #688]
    stp     q28, q29, [x30, #720]
    stp     q30, q31, [x30, #752]
    ldr     x9, =stacks + STACK_SIZE
    mov     x0, #0
    b       enter

    .global secondary_start
secondary_start:
    ldr     x9, =stacks + 2 * STACK_SIZE
    mov     x0, #1
enter:
    mov     sp, x9
    mov     x9, #CPACR_FPEN
    msr     cpacr_el1, x9
    ldr     x9, =hostile_vectors
    msr     vbar_el1, x9
    isb
    mov     x29, xzr
    mov     x30, xzr
    bl      hostile_main
    .ltorg

    .macro  vector kind
    .balign 0x80
    sub     sp, sp, #FRAME_SIZE
    stp     x0, x1, [sp]
    mov     x1, #\kind
    b       save
    .endm

    .section .text.vectors, "ax"
    .balign 0x800
hostile_vectors:
    .rept   4
    vector  0
    vector  1
    vector  2
    vector  3
    .endr
    .balign 0x80
save:
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
    mrs     x3, spsr_el1
    stp     x30, x2, [sp, #240]
    str     x3, [sp, #256]
    mov     x0, sp
    bl      hostile_exception   // changes the frame
    ldp     x30, x2, [sp, #240]
    ldr     x3, [sp, #256]
    msr     elr_el1, x2
    msr     spsr_el1, x3
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

// void run_code(code, results, value): x2 is in x2, x3 and x4 for the code, which ends with ret and
// uses no more than x0 to x17.
    .section .text.run_code, "ax"
    .global run_code
    .type run_code, %function
run_code:
    stp     x29, x30, [sp, #-16]!
    mov     x16, x0
    mov     x0, x1
    mov     x3, x2
    mov     x4, x2
    blr     x16
    ldp     x29, x30, [sp], #16
    ret
    .size run_code, . - run_code

    .section .data.entry_registers, "aw"
    .balign 16
    .global entry_registers
entry_registers:
    .skip   784

    .section .bss.stacks, "aw", %nobits
    .balign 16
stacks:
    .skip   2 * STACK_SIZE
