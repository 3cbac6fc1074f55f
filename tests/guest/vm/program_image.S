// SPDX-License-Identifier: BSD-3-Clause
// The program of the created VM as a flat binary.
    .section .guest_program, "a"
    .global guest_program_start
    .global guest_program_end
    .balign 16
guest_program_start:
    .incbin GUEST_PROGRAM_BINARY
guest_program_end:
