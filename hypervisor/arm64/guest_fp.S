// SPDX-License-Identifier: BSD-3-Clause
// Saves and loads V0-V31, FPSR and FPCR of a vCPU (struct FloatingPoint, x0), or its SVE registers
// (memory at x0: Z0-Z31, P0-P15, FFR). The rest of EL2 is compiled for general registers only, so
// that nothing else touches them.

    .arch_extension fp
    .arch_extension simd
    .section .text.guest_fp, "ax"

    .macro  for_vectors op
    \op     {v0.2d-v3.2d}, [x0], #64
    \op     {v4.2d-v7.2d}, [x0], #64
    \op     {v8.2d-v11.2d}, [x0], #64
    \op     {v12.2d-v15.2d}, [x0], #64
    \op     {v16.2d-v19.2d}, [x0], #64
    \op     {v20.2d-v23.2d}, [x0], #64
    \op     {v24.2d-v27.2d}, [x0], #64
    \op     {v28.2d-v31.2d}, [x0], #64
    .endm

    .global arch_fp_save
    .type arch_fp_save, %function
arch_fp_save:
    for_vectors st1
    mrs     x1, fpsr
    mrs     x2, fpcr
    stp     x1, x2, [x0]
    ret
    .size arch_fp_save, . - arch_fp_save

    .global arch_fp_load
    .type arch_fp_load, %function
arch_fp_load:
    for_vectors ld1
    ldp     x1, x2, [x0]
    msr     fpsr, x1
    msr     fpcr, x2
    ret
    .size arch_fp_load, . - arch_fp_load

    .arch_extension sve

    .macro  for_sve_registers z, p
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \z      z\n, [x0, #\n, mul vl]
    .endr
    addvl   x0, x0, #31
    addvl   x0, x0, #1
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    \p      p\n, [x0, #\n, mul vl]
    .endr
    .endm

    .global arch_sve_save
    .type arch_sve_save, %function
arch_sve_save:
    for_sve_registers str, str
    rdffr   p0.b
    str     p0, [x0, #16, mul vl]
    ldr     p0, [x0]            // the registers stay the guest's
    ret
    .size arch_sve_save, . - arch_sve_save

    .global arch_sve_load
    .type arch_sve_load, %function
arch_sve_load:
    rdvl    x1, #16
    add     x1, x0, x1, lsl #1
    ldr     p0, [x1, #16, mul vl]
    wrffr   p0.b
    for_sve_registers ldr, ldr
    ret
    .size arch_sve_load, . - arch_sve_load

// The length in bytes that EL2 may use.
    .global arch_sve_vector_bytes
    .type arch_sve_vector_bytes, %function
arch_sve_vector_bytes:
    rdvl    x0, #1
    ret
    .size arch_sve_vector_bytes, . - arch_sve_vector_bytes
