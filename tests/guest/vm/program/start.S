// SPDX-License-Identifier: BSD-3-Clause
// Entry points and exception vectors of the program inside the created VM. MMU off throughout.

#define CPACR_FPEN      (3 << 20)
#define STACK_SIZE      16384

    .section .head.text, "ax"
    .global _start
_start:
    mov     x19, x0
    mrs     x20, daif
    mrs     x21, sctlr_el1
    ldr     x9, =bss_start
    ldr     x10, =bss_end
1:  cmp     x9, x10
    b.hs    2f
    stp     xzr, xzr, [x9], #16
    b       1b
2:  ldr     x9, =stacks + STACK_SIZE
    b       enter

    .global secondary_start
secondary_start:
    mov     x19, x0
    mrs     x20, daif
    mrs     x21, sctlr_el1
    ldr     x9, =stacks + 2 * STACK_SIZE
enter:
    mov     sp, x9
    mov     x9, #CPACR_FPEN
    msr     cpacr_el1, x9
    ldr     x9, =program_vectors
    msr     vbar_el1, x9
    isb
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x19
    mov     x1, x20
    mov     x2, x21
    bl      program_main
3:  wfi
    b       3b
    .ltorg

    .macro  vector
    .balign 0x80
    sub     sp, sp, #272
    stp     x0, x1, [sp]
    b       save
    .endm

    .section .text.vectors, "ax"
    .balign 0x800
program_vectors:
    .rept   16
    vector
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
    stp     x29, x30, [sp, #160]
    mov     x0, x30
    bl      program_exception   // x0 = link register -> address to go on at
    msr     elr_el1, x0
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x29, x30, [sp, #160]
    ldp     x0, x1, [sp], #272
    eret

    .section .bss.stacks, "aw", %nobits
    .balign 16
stacks:
    .skip   2 * STACK_SIZE
