// SPDX-License-Identifier: BSD-3-Clause
// The first instructions on every CPU: the arm64 Image header (Linux Documentation/arch/arm64/
// booting), EL2 into a known state, MMU on, and a jump to the virtual address.

#define HCR_RW          (1 << 31)
#define HCR_E2H_BIT     34
#define CPTR_RESET      0x33ff          // RES1 bits; FP/SIMD does not trap
#define SCTLR_RES1      0x30c50830
#define SCTLR_M         (1 << 0)
#define SCTLR_C         (1 << 2)
#define SCTLR_SA        (1 << 3)
#define SCTLR_I         (1 << 12)
#define SCTLR_WXN       (1 << 19)
#define SCTLR_BT_BIT    36              // PACIxSP is no landing pad for every branch; FEAT_BTI
#define SCTLR_OFF       (SCTLR_RES1 | SCTLR_I)
#define SCTLR_ON        (SCTLR_RES1 | SCTLR_I | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_WXN)
// Index 0: normal, write-back; index 1: device nGnRE (arm64/el2_tables.cpp).
#define MAIR            0x04ff
// RES1 bits 31 and 23, 4 KiB granule, inner shareable, write-back walks, T0SZ 16 (48 bits).
#define TCR_COMMON      (0x80800000 | (3 << 12) | (1 << 10) | (1 << 8) | 16)
#define TCR_PS_SHIFT    16
#define PARANGE_48      5
#define CURRENTEL_EL2   8

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

// x0 = device tree. MMU off, data cache off or on with the image cleaned to the point of coherency.
primary_entry:
    mov     x19, x0
    bl      reset_el2
    // What the image only reserves may be in caches as another program's data: drop it before it is
    // written with caches off, and drop what was speculatively read before it is used with caches on.
    bl      invalidate_data
    adrp    x0, bss_start
    adrp    x1, image_end
1:  stp     xzr, xzr, [x0]     // both are multiples of a page
    stp     xzr, xzr, [x0, #16]
    stp     xzr, xzr, [x0, #32]
    stp     xzr, xzr, [x0, #48]
    add     x0, x0, #64
    cmp     x0, x1
    b.lo    1b
    adrp    x9, image_end
    mov     sp, x9
    mov     x29, xzr
    mov     x0, x19
    bl      el2_build_first_tables
    cbz     x0, park
    mov     x21, x0
    bl      invalidate_data
    mov     x0, x21
    adr     x1, primary_virtual
    b       enable_mmu

primary_virtual:
    bti     j
    adrp    x9, image_end
    mov     sp, x9
    mov     x0, x19
    bl      boot_main
    b       park

// Entered by PSCI CPU_ON; x0 = physical address of struct SecondaryStart.
    .global secondary_entry
secondary_entry:
    mov     x19, x0
    bl      reset_el2
    ldp     x0, x20, [x19]      // tables, stack
    ldr     x21, [x19, #16]     // PerCpu
    adr     x1, secondary_virtual
    b       enable_mmu

secondary_virtual:
    bti     j
    mov     sp, x20
    msr     tpidr_el2, x21
    bl      secondary_main
    b       park

// EL2 without VHE, MMU off, everything masked. Parks if the CPU is not at EL2 or has only VHE.
reset_el2:
    msr     daifset, #0xf
    mrs     x9, currentel
    cmp     x9, #CURRENTEL_EL2
    b.ne    park
    mov     x9, #HCR_RW
    msr     hcr_el2, x9
    isb
    mrs     x9, hcr_el2
    tbnz    x9, #HCR_E2H_BIT, park
    ldr     x9, =SCTLR_OFF
    msr     sctlr_el2, x9
    mov     x9, #CPTR_RESET
    msr     cptr_el2, x9
    msr     spsel, #1
    isb
    ret

// Invalidates data cache lines of all but the code; clobbers x9-x12.
invalidate_data:
    dsb     sy
    mrs     x9, ctr_el0
    ubfx    x9, x9, #16, #4
    mov     x10, #4
    lsl     x10, x10, x9        // smallest line in bytes
    adrp    x11, text_end
    adrp    x12, image_end
1:  dc      ivac, x11
    add     x11, x11, x10
    cmp     x11, x12
    b.lo    1b
    dsb     sy
    ret

// x0 = tables, x1 = where to go on (physical address), with the vectors set and no frame below.
// Clobbers x9, x10.
enable_mmu:
    adrp    x9, el2_image_offset
    ldr     x9, [x9, :lo12:el2_image_offset]
    add     x1, x1, x9
    adrp    x10, el2_vectors    // a multiple of 2 KiB
    add     x10, x10, :lo12:el2_vectors
    add     x10, x10, x9
    msr     vbar_el2, x10
    mov     x29, xzr            // a backtrace ends here
    mov     x30, xzr
    ldr     x9, =MAIR
    msr     mair_el2, x9
    ldr     x9, =TCR_COMMON
    mrs     x10, id_aa64mmfr0_el1
    and     x10, x10, #0xf      // PARange
    cmp     x10, #PARANGE_48
    b.ls    1f
    mov     x10, #PARANGE_48
1:  orr     x9, x9, x10, lsl #TCR_PS_SHIFT
    msr     tcr_el2, x9
    msr     ttbr0_el2, x0
    isb
    tlbi    alle2
    ic      iallu
    dsb     nsh
    isb
    ldr     x9, =SCTLR_ON
    mrs     x10, id_aa64pfr1_el1
    tst     x10, #0xf           // BT
    cset    x10, ne
    orr     x9, x9, x10, lsl #SCTLR_BT_BIT
    msr     sctlr_el2, x9
    isb
    br      x1

park:
    wfi
    b       park

    .ltorg
