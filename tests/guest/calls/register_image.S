// SPDX-License-Identifier: BSD-3-Clause
// Loads a RegisterImage, executes one instruction, stores all registers into another RegisterImage.

    .arch_extension fp
    .arch_extension simd

#define IMAGE_FPCR      248
#define IMAGE_FPSR      256
#define IMAGE_V         272
#define FRAME_SIZE      128
#define FRAME_STORE     96
#define FRAME_FPCR      104

    .macro  vectors operation, base
    \operation  q0, q1, [\base, #IMAGE_V]
    \operation  q2, q3, [\base, #IMAGE_V + 32]
    \operation  q4, q5, [\base, #IMAGE_V + 64]
    \operation  q6, q7, [\base, #IMAGE_V + 96]
    \operation  q8, q9, [\base, #IMAGE_V + 128]
    \operation  q10, q11, [\base, #IMAGE_V + 160]
    \operation  q12, q13, [\base, #IMAGE_V + 192]
    \operation  q14, q15, [\base, #IMAGE_V + 224]
    \operation  q16, q17, [\base, #IMAGE_V + 256]
    \operation  q18, q19, [\base, #IMAGE_V + 288]
    \operation  q20, q21, [\base, #IMAGE_V + 320]
    \operation  q22, q23, [\base, #IMAGE_V + 352]
    \operation  q24, q25, [\base, #IMAGE_V + 384]
    \operation  q26, q27, [\base, #IMAGE_V + 416]
    \operation  q28, q29, [\base, #IMAGE_V + 448]
    \operation  q30, q31, [\base, #IMAGE_V + 480]
    .endm

    .macro  execute name, instruction:vararg
    .global \name
    .type \name, %function
\name:
    sub     sp, sp, #FRAME_SIZE
    stp     x19, x20, [sp]
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    mrs     x2, fpcr
    stp     x1, x2, [sp, #FRAME_STORE]
    vectors ldp, x0
    ldr     x2, [x0, #IMAGE_FPCR]
    msr     fpcr, x2
    ldr     x2, [x0, #IMAGE_FPSR]
    msr     fpsr, x2
    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
    ldr     x30, [x0, #240]
    ldp     x0, x1, [x0]
    \instruction
    stp     x0, x1, [sp, #-16]!
    ldr     x0, [sp, #16 + FRAME_STORE]
    stp     x2, x3, [x0, #16]
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0]
    stp     x4, x5, [x0, #32]
    stp     x6, x7, [x0, #48]
    stp     x8, x9, [x0, #64]
    stp     x10, x11, [x0, #80]
    stp     x12, x13, [x0, #96]
    stp     x14, x15, [x0, #112]
    stp     x16, x17, [x0, #128]
    stp     x18, x19, [x0, #144]
    stp     x20, x21, [x0, #160]
    stp     x22, x23, [x0, #176]
    stp     x24, x25, [x0, #192]
    stp     x26, x27, [x0, #208]
    stp     x28, x29, [x0, #224]
    str     x30, [x0, #240]
    mrs     x2, fpcr
    str     x2, [x0, #IMAGE_FPCR]
    mrs     x2, fpsr
    str     x2, [x0, #IMAGE_FPSR]
    vectors stp, x0
    ldr     x2, [sp, #FRAME_FPCR]
    msr     fpcr, x2
    ldp     x19, x20, [sp]
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    add     sp, sp, #FRAME_SIZE
    ret
    .size \name, . - \name
    .endm

    .section .text.register_image, "ax"
    execute execute_hvc, hvc #0
    execute execute_store, str w0, [x1]
    execute execute_loop, 1: sub x0, x0, #1; cbnz x0, 1b
