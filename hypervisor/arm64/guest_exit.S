// SPDX-License-Identifier: BSD-3-Clause
// The way out of a vCPU and back in. While a vCPU runs, SP_EL2 is the address of its GuestRegisters,
// so that an exit can store before it needs a register. C++ runs on this CPU's EL2 stack.
//
//   synchronous  stores what C++ may change (x0-x17, x29, x30); x18 is reserved (-ffixed-x18),
//                x19-x28 are preserved by C++, PC and PSTATE stay in ELR_EL2 and SPSR_EL2. If C++
//                has served it and left no work for this CPU (PerCpu::work), the vCPU goes on at
//                once. Else the rest is stored, too.
//   others       store everything, call C++, and load everything of the vCPU that it returns.

#define PERCPU_GUEST_WORK 0
#define PERCPU_VCPU_STACK 16
#define REGS_PC_PSTATE 248
#define ESR_EC_SHIFT 26
#define ESR_EC_HVC64 0x16

    .macro  for_scratch_registers operation
    \operation x16, x17, [sp, #128]
    \operation x14, x15, [sp, #112]
    \operation x12, x13, [sp, #96]
    \operation x10, x11, [sp, #80]
    \operation x8, x9, [sp, #64]
    \operation x6, x7, [sp, #48]
    \operation x4, x5, [sp, #32]
    \operation x29, x30, [sp, #232]
    \operation x2, x3, [sp, #16]
    \operation x0, x1, [sp, #0]
    .endm

    // x18 with x19, ..., x28 alone: x29 is scratch.
    .macro  for_other_registers operation, single, base
    \operation x18, x19, [\base, #144]
    \operation x20, x21, [\base, #160]
    \operation x22, x23, [\base, #176]
    \operation x24, x25, [\base, #192]
    \operation x26, x27, [\base, #208]
    \single x28, [\base, #224]
    .endm

    .macro  return_to_guest
    for_scratch_registers ldp
    eret
    // Keep straight-line speculation from running past the eret (Arm DEN0115).
    dsb     nsh
    isb
    .endm

    // x0 = the vCPU, sp = EL2's stack. A backtrace ends here.
    .macro  change_to_el2_stack
    mrs     x2, tpidr_el2
    ldp     x0, x2, [x2, #PERCPU_VCPU_STACK]
    mov     x29, xzr
    mov     sp, x2
    .endm

    .macro  store_other_registers base
    for_other_registers stp, str, \base
    mrs     x4, elr_el2
    mrs     x5, spsr_el2
    stp     x4, x5, [\base, #REGS_PC_PSTATE]
    .endm

    .section .text.guest_exit, "ax"

    .global guest_exit_sync
    .type guest_exit_sync, %function
guest_exit_sync:
    for_scratch_registers stp
    mrs     x1, esr_el2
    lsr     w2, w1, #ESR_EC_SHIFT
    cmp     w2, #ESR_EC_HVC64
    b.ne    1f
    change_to_el2_stack
    bl      guest_hypercall             // (Vcpu&, esr) -> x0
    mrs     x1, tpidr_el2
    ldp     x3, x2, [x1, #PERCPU_GUEST_WORK]
    cbnz    x2, 2f
    str     x0, [x3]
0:  mov     sp, x3
    return_to_guest

1:  change_to_el2_stack
    bl      guest_trap                  // (Vcpu&, esr) -> length of the served instruction, or 0
    mrs     x1, tpidr_el2
    mrs     x4, elr_el2
    ldp     x3, x2, [x1, #PERCPU_GUEST_WORK]
    add     x4, x4, x0
    msr     elr_el2, x4
    cbz     x2, 0b
    store_other_registers x3
    ldr     x0, [x1, #PERCPU_VCPU_STACK]
    bl      guest_trap_left_work        // (Vcpu&) -> registers to enter with
    b       guest_enter

2:  store_other_registers x3
    mov     x2, x0
    ldr     x0, [x1, #PERCPU_VCPU_STACK]
    mov     x1, x2
    bl      guest_hypercall_left_work   // (Vcpu&, x0) -> registers to enter with
    b       guest_enter
    .size guest_exit_sync, . - guest_exit_sync

    .macro  asynchronous_exit name, handler
    .global guest_exit_\name
    .type guest_exit_\name, %function
guest_exit_\name:
    for_scratch_registers stp
    mov     x3, sp
    change_to_el2_stack
    store_other_registers x3
    bl      \handler                    // (Vcpu&) -> registers to enter with
    b       guest_enter
    .size guest_exit_\name, . - guest_exit_\name
    .endm

    asynchronous_exit irq, guest_interrupt
    asynchronous_exit fiq, guest_interrupt
    asynchronous_exit serror, guest_serror

// void guest_enter(GuestRegisters*): never returns.
    .global guest_enter
    .type guest_enter, %function
guest_enter:
    mov     sp, x0
    ldp     x2, x3, [sp, #REGS_PC_PSTATE]
    msr     elr_el2, x2
    msr     spsr_el2, x3
    for_other_registers ldp, ldr, sp
    return_to_guest
    .size guest_enter, . - guest_enter
