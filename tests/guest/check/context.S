// SPDX-License-Identifier: BSD-3-Clause
// Leaving a check from anywhere: callee-saved registers and the stack pointer of the runner.

    .section .text.context, "ax"

    // int save_context(std::uint64_t context[13]): 0, and 1 when restore_context was called.
    .global save_context
    .type save_context, %function
save_context:
    stp     x19, x20, [x0]
    stp     x21, x22, [x0, #16]
    stp     x23, x24, [x0, #32]
    stp     x25, x26, [x0, #48]
    stp     x27, x28, [x0, #64]
    stp     x29, x30, [x0, #80]
    mov     x1, sp
    str     x1, [x0, #96]
    mov     w0, #0
    ret

    .global restore_context
    .type restore_context, %function
restore_context:
    ldp     x19, x20, [x0]
    ldp     x21, x22, [x0, #16]
    ldp     x23, x24, [x0, #32]
    ldp     x25, x26, [x0, #48]
    ldp     x27, x28, [x0, #64]
    ldp     x29, x30, [x0, #80]
    ldr     x1, [x0, #96]
    mov     sp, x1
    mov     w0, #1
    ret
