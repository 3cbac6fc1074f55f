// SPDX-License-Identifier: BSD-3-Clause
// The first instructions: the arm64 Image header (Linux Documentation/arch/arm64/booting), then
// relocation of the program to where it was loaded, at EL1 with the MMU off.

#define CURRENTEL_EL1       4
#define SCTLR_OFF           0x30d00800      // the bits that are RES1 in Armv8.0
#define CPACR_FPEN          (3 << 20)       // FP/SIMD does not trap
#define R_AARCH64_RELATIVE  1027
#define STACK_SIZE          65536

    .section .head.text, "ax"
    .global _start
_start:
    b       primary_entry
    .word   0
    .quad   0                   // text_offset
    .quad   image_size          // memory that must be free, from the linker script
    .quad   0xa                 // little-endian, 4 KiB pages, anywhere in memory
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0

// x0 = device tree.
primary_entry:
    mrs     x20, cntvct_el0     // how long this took to reach
    mov     x19, x0
    bl      reset_el1
    adrp    x9, bss_start
    add     x9, x9, :lo12:bss_start
    adrp    x10, image_end
    add     x10, x10, :lo12:image_end
1:  stp     xzr, xzr, [x9], #16
    cmp     x9, x10
    b.lo    1b

    adrp    x9, relocations_start
    add     x9, x9, :lo12:relocations_start
    adrp    x10, relocations_end
    add     x10, x10, :lo12:relocations_end
    adr     x11, _start         // linked at 0: this is the displacement
2:  cmp     x9, x10
    b.hs    4f
    ldp     x12, x13, [x9]      // offset, type
    ldr     x14, [x9, #16]      // addend
    add     x9, x9, #24
    cmp     x13, #R_AARCH64_RELATIVE
    b.ne    3f
    add     x14, x14, x11
    str     x14, [x11, x12]
    b       2b
3:  cbz     x13, 2b             // R_AARCH64_NONE
    b       park
4:
    adrp    x9, main_stack_end
    add     x9, x9, :lo12:main_stack_end
    mov     sp, x9
    mov     x29, xzr
    mov     x0, x19
    adr     x1, _start
    mov     x2, x20
    bl      start_main
    b       park

// Entered by PSCI CPU_ON; x0 = struct CpuStart (machine/cpus.hpp).
    .global secondary_entry
secondary_entry:
    mov     x19, x0
    str     x0, [x19, #16]
    mrs     x9, currentel
    str     x9, [x19, #24]
    mrs     x9, daif
    str     x9, [x19, #32]
    mrs     x9, sctlr_el1
    str     x9, [x19, #40]
    dsb     sy
    bl      reset_el1
    ldr     x9, [x19]
    mov     sp, x9
    mov     x29, xzr
    mov     x0, x19
    bl      start_secondary
    b       park

reset_el1:
    msr     daifset, #0xf
    mrs     x9, currentel
    cmp     x9, #CURRENTEL_EL1
    b.ne    park
    ldr     x9, =SCTLR_OFF
    msr     sctlr_el1, x9
    mov     x9, #CPACR_FPEN
    msr     cpacr_el1, x9
    msr     spsel, #1
    adrp    x9, vectors
    add     x9, x9, :lo12:vectors
    msr     vbar_el1, x9
    isb
    ret

park:
    wfi
    b       park

    .ltorg

    .section .bss.stack, "aw", %nobits
    .balign 16
    .skip   STACK_SIZE
main_stack_end:
