// SPDX-License-Identifier: BSD-3-Clause
// First instructions of the Resource Manager, its exception vectors, and the hypercall gate.

// Entered at GH_RM_IPA_BASE at EL1, MMU off, interrupts masked, x0 = IPA of struct gh_rm_boot.
// The hypervisor put the image into place and zeroed what it reserves behind the file's end.
.section .text.start, "ax"
.global _start
_start:                         // struct gh_rm_image_header
    b       start
    .word   0
    .quad   rm_image_size
start:
    adrp    x1, rm_stack_top
    add     x1, x1, :lo12:rm_stack_top
    mov     sp, x1
    adrp    x1, rm_vectors
    add     x1, x1, :lo12:rm_vectors
    msr     vbar_el1, x1
    mov     x1, #(3 << 20)      // CPACR_EL1.FPEN: libfdt as packaged uses vector registers
    msr     cpacr_el1, x1
    isb
    mov     x29, xzr
    mov     x30, xzr
    bl      rm_main
1:  wfi
    b       1b

// Interrupts stay masked for ever (WFI wakes all the same, and the event loop asks the GIC), so
// every exception is the end: an abort, an undefined instruction, an SError.
.section .text.vectors, "ax"
.balign 2048
.global rm_vectors
rm_vectors:
.set entry, 0
.rept 16
    .balign 128
    mov     x0, #entry
    mrs     x1, esr_el1
    mrs     x2, elr_el1
    mrs     x3, far_el1
    b       rm_exception
    .set entry, entry + 1
.endr

// void rm_hypercall(const uint64_t arguments[8], uint64_t number, uint64_t results[8]): loads x0-x7,
// executes hvc #(0x6000 + number), number 0..255, and stores x0-x7; the arrays may be one.
.section .text.hypercall, "ax"
.global rm_hypercall
.type rm_hypercall, %function
rm_hypercall:
    stp     x29, x30, [sp, #-32]!
    mov     x29, sp
    str     x19, [sp, #16]
    mov     x19, x2
    and     x1, x1, #0xff
    adr     x16, 1f
    add     x16, x16, x1, lsl #3
    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x0, x1, [x0]
    blr     x16
    stp     x0, x1, [x19]
    stp     x2, x3, [x19, #16]
    stp     x4, x5, [x19, #32]
    stp     x6, x7, [x19, #48]
    ldr     x19, [sp, #16]
    ldp     x29, x30, [sp], #32
    ret
// The call's number is part of the instruction: one gate per number, 8 bytes each.
.balign 8
1:
.set number, 0
.rept 256
    hvc     #(0x6000 + number)
    ret
    .set number, number + 1
.endr
.size rm_hypercall, . - rm_hypercall

.section .note.GNU-stack, "", %progbits
