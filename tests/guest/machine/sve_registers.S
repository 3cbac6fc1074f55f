// SPDX-License-Identifier: BSD-3-Clause
// Z0-Z31, P0-P15 and FFR to and from memory at x0, one after the other.
    .arch_extension sve
    .text

    .macro  for_each z, p
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \z      z\n, [x0, #\n, mul vl]
    .endr
    rdvl    x1, #16
    add     x0, x0, x1, lsl #1
    .irp    n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    \p      p\n, [x0, #\n, mul vl]
    .endr
    .endm

    .global sve_store
sve_store:
    for_each str, str
    str     p0, [x0]
    rdffr   p0.b
    str     p0, [x0, #16, mul vl]
    ldr     p0, [x0]
    ret

    .global sve_load
sve_load:
    for_each ldr, ldr
    ldr     p0, [x0, #16, mul vl]
    wrffr   p0.b
    ldr     p0, [x0]
    ret

    .global sve_length
sve_length:
    rdvl    x0, #1
    ret
