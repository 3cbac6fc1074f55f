// SPDX-License-Identifier: BSD-3-Clause
// The hostile program as a flat binary.
    .section .hostile_program, "a"
    .global hostile_program_start
    .global hostile_program_end
    .balign 16
hostile_program_start:
    .incbin HOSTILE_PROGRAM_BINARY
hostile_program_end:
