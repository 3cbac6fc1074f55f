// SPDX-License-Identifier: BSD-3-Clause
// Image header, entry points and the interrupt vector of the measuring guest. MMU off throughout.

#define CPACR_FPEN      (3 << 20)
#define STACK_SIZE      16384
#define CONTROL         0x80100000      // ram_base + control_offset (protocol.hpp)
#define FIRST_INSTRUCTION 8
#define HANDLED         24
#define INTERRUPTS      40

    .section .head.text, "ax"
    .global _start
_start:
    b       primary_entry       // arm64 Image header (Linux Documentation/arch/arm64/booting)
    .word   0
    .quad   0                   // text_offset
    .quad   image_size
    .quad   0xa                 // little-endian, 4 KiB pages, anywhere in memory
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0

primary_entry:
    mrs     x9, cntvct_el0
    ldr     x10, =CONTROL
    str     x9, [x10, #FIRST_INSTRUCTION]
    ldr     x9, =stacks + STACK_SIZE
    mov     x0, #0
    b       enter

    .global secondary_entry
secondary_entry:
    ldr     x9, =stacks + 2 * STACK_SIZE
    mov     x0, #1
enter:
    mov     sp, x9
    mov     x9, #CPACR_FPEN
    msr     cpacr_el1, x9
    ldr     x9, =vectors
    msr     vbar_el1, x9
    isb
    mov     x29, xzr
    mov     x30, xzr
    bl      bench_main
1:  wfi
    b       1b
    .ltorg

    .macro  dead
    .balign 0x80
    b       .
    .endm

    .section .text.vectors, "ax"
    .balign 0x800
vectors:
    .rept   5
    dead
    .endr
    // IRQ at the current EL with SP_EL1: notes the time first, then acknowledges and ends it.
    .balign 0x80
    stp     x0, x1, [sp, #-16]!
    mrs     x0, cntvct_el0
    stp     x2, x3, [sp, #-16]!
    mrs     x1, mpidr_el1
    and     x1, x1, #1
    ldr     x2, =CONTROL
    add     x2, x2, x1, lsl #3
    str     x0, [x2, #HANDLED]
    mrs     x0, s3_0_c12_c12_0  // ICC_IAR1_EL1
    cmp     x0, #27
    b.ne    2f
    msr     cntv_ctl_el0, xzr   // the timer's level goes down before its end
    isb
2:  msr     s3_0_c12_c12_1, x0  // ICC_EOIR1_EL1
    ldr     x0, [x2, #INTERRUPTS]
    add     x0, x0, #1
    str     x0, [x2, #INTERRUPTS]
    ldp     x2, x3, [sp], #16
    ldp     x0, x1, [sp], #16
    eret
    .ltorg
    .rept   10
    dead
    .endr

    .section .bss.stacks, "aw", %nobits
    .balign 16
stacks:
    .skip   2 * STACK_SIZE
