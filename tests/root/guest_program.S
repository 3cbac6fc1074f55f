// SPDX-License-Identifier: BSD-3-Clause
// What vCPUs of the checks run: copied into their memory, position-independent, MMU off.

    .section .rodata.guest_program, "a"
    .balign 8

    // x0: commands of four words {what, a, b, c}; results go back into a to c.
    //   1: store the 32 bits b at a     2: load 32 bits from a      3: SMC with x0 to x2 = a to c
    //   4: WFI for ever: the end        5: a loop for ever
    //   6: the instruction with code a, x0 = b before it and x0 to c after it
    //   7: wait until the word at a is not zero, then clear it      8: go on with the command at a
    //   9: count in the word at a for ever
    .global guest_program, guest_program_end
guest_program:
    mov     x19, x0
    adr     x1, guest_program
    add     x1, x1, #0x800
    msr     vbar_el1, x1
    isb
next:
    ldp     x3, x4, [x19]
    ldp     x5, x6, [x19, #16]
    cmp     x3, #1
    b.eq    store
    cmp     x3, #2
    b.eq    load
    cmp     x3, #3
    b.eq    firmware
    cmp     x3, #5
    b.eq    .
    cmp     x3, #6
    b.eq    instruction
    cmp     x3, #7
    b.eq    await
    cmp     x3, #8
    b.eq    go_on
    cmp     x3, #9
    b.eq    count
end:
    wfi
    b       end
store:
    str     w5, [x4]
    b       done
load:
    ldr     w4, [x4]
    str     x4, [x19, #8]
    b       done
firmware:
    mov     x0, x4
    mov     x1, x5
    mov     x2, x6
    smc     #0
    stp     x0, x1, [x19, #8]
    str     x2, [x19, #24]
done:
    add     x19, x19, #32
    b       next
instruction:
    adr     x7, 1f
    str     w4, [x7]
    dsb     sy
    ic      iallu
    dsb     sy
    isb
    mov     x0, x5
1:  nop
    isb
    str     x0, [x19, #24]
    b       done
await:
    ldr     x7, [x4]
    cbz     x7, await
    str     xzr, [x4]
    dsb     sy
    b       done
go_on:
    mov     x19, x4
    b       next
count:
    ldr     x7, [x4]
    add     x7, x7, #1
    str     x7, [x4]
    b       count
    // Vectors are at 0x800, this one is of synchronous exceptions of EL1: an access that is refused
    // is passed over.
    .skip   0xa00 - (. - guest_program)
    mrs     x7, elr_el1
    add     x7, x7, #4
    msr     elr_el1, x7
    eret
guest_program_end:

    // PSCI SYSTEM_OFF.
    .global off_program
off_program:
    mov     w0, #0x0008
    movk    w0, #0x8400, lsl #16
    hvc     #0
    b       .

    .section .note.GNU-stack, "", %progbits
