// SPDX-License-Identifier: BSD-3-Clause
// The way out of a vCPU and back in: every lower-EL exception stores the general-purpose registers
// where PerCpu::guest points, calls guest_exit(kind) on this CPU's EL2 stack, and enters whatever
// registers that returns. SP_EL2 equals PerCpu::stack_top whenever a vCPU runs.

#define EXIT_SYNC 0
#define EXIT_IRQ 1
#define EXIT_FIQ 2
#define EXIT_SERROR 3

#define PERCPU_GUEST 0
#define PERCPU_STACK_TOP 8
#define REGS_PC 248

    .section .text.guest_exit, "ax"

    .macro guest_exit_entry name, kind
    .global guest_exit_\name
    .type guest_exit_\name, %function
guest_exit_\name:
    stp     x0, x1, [sp, #-16]!
    mrs     x0, tpidr_el2
    ldr     x0, [x0, #PERCPU_GUEST]
    stp     x2, x3, [x0, #16]
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0, #0]
    mov     w1, #\kind
    b       guest_exit_save
    .size guest_exit_\name, . - guest_exit_\name
    .endm

    guest_exit_entry sync, EXIT_SYNC
    guest_exit_entry irq, EXIT_IRQ
    guest_exit_entry fiq, EXIT_FIQ
    guest_exit_entry serror, EXIT_SERROR

guest_exit_save:
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
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    stp     x30, x2, [x0, #240]
    str     x3, [x0, #256]
    mov     w0, w1
    mov     x29, xzr            // a backtrace ends here
    bl      guest_exit
    // x0 = registers to enter with; guest_exit has set PerCpu::guest to the same.

// void guest_enter(GuestRegisters*): never returns.
    .global guest_enter
    .type guest_enter, %function
guest_enter:
    mrs     x1, tpidr_el2
    ldr     x1, [x1, #PERCPU_STACK_TOP]
    mov     sp, x1
    ldp     x30, x2, [x0, #240]
    ldr     x3, [x0, #256]
    msr     elr_el2, x2
    msr     spsr_el2, x3
    ldp     x28, x29, [x0, #224]
    ldp     x26, x27, [x0, #208]
    ldp     x24, x25, [x0, #192]
    ldp     x22, x23, [x0, #176]
    ldp     x20, x21, [x0, #160]
    ldp     x18, x19, [x0, #144]
    ldp     x16, x17, [x0, #128]
    ldp     x14, x15, [x0, #112]
    ldp     x12, x13, [x0, #96]
    ldp     x10, x11, [x0, #80]
    ldp     x8, x9, [x0, #64]
    ldp     x6, x7, [x0, #48]
    ldp     x4, x5, [x0, #32]
    ldp     x2, x3, [x0, #16]
    ldp     x0, x1, [x0, #0]
    eret
    // Keep straight-line speculation from running past the eret (Arm DEN0115).
    dsb     nsh
    isb
    .size guest_enter, . - guest_enter
