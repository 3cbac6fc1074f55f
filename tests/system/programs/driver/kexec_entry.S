// SPDX-License-Identifier: BSD-3-Clause
// Where the old kernel jumps to, MMU off: gives the new one what Linux's booting.rst asks for. The
// two words behind the code are filled in.

    .section .rodata
    .global kexec_entry_begin, kexec_entry_values, kexec_entry_end
    .balign 8
kexec_entry_begin:
    ldr     x0, kexec_entry_values      // the device tree
    ldr     x4, kexec_entry_values + 8  // the kernel
    mov     x1, xzr
    mov     x2, xzr
    mov     x3, xzr
    br      x4
    .balign 8
kexec_entry_values:
    .quad   0
    .quad   0
kexec_entry_end:

    .section .note.GNU-stack, "", %progbits
