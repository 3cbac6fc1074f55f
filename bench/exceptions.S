// SPDX-License-Identifier: BSD-3-Clause
// Vectors of EL1 that go on behind the instruction which took a synchronous exception. x18 is lost.
    .section .text.skipping_vectors, "ax"
    .balign 0x800
    .global skipping_vectors
skipping_vectors:
    .rept   4
    .balign 0x80
    b       .                   // with SP_EL0: never
    .endr
    .balign 0x80
    mrs     x18, elr_el1
    add     x18, x18, #4
    msr     elr_el1, x18
    eret
    .rept   11
    .balign 0x80
    b       .                   // nothing else is expected
    .endr
    .balign 0x80
