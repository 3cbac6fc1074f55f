// SPDX-License-Identifier: BSD-3-Clause
// What runs in the guest: asks its VMM by MMIO reads what to do next, and does it. MMU off,
// independent of its position; guest.hpp names the operations.

#define CONTROL         0x10000000
#define CONTROL_OP      0x00
#define CONTROL_ADDRESS 0x08
#define CONTROL_VALUE   0x10
#define CONTROL_RESULT  0x18

#define GUEST_BASE      0x80000000
#define FIRMWARE_NOTE   0x800

#define PSCI_SYSTEM_OFF   0x84000008
#define PSCI_SYSTEM_RESET 0x84000009
#define WATCHDOG_CONTROL  0x86000005
#define WATCHDOG_SET_TIME 0x86000008

    .section .rodata
    .global guest_program_begin, guest_program_end
    .balign 8
guest_program_begin:
    mov     x20, #CONTROL
next:
    ldr     x0, [x20, #CONTROL_OP]
    ldr     x1, [x20, #CONTROL_ADDRESS]
    ldr     x2, [x20, #CONTROL_VALUE]
    cmp     x0, #1
    b.eq    write_1
    cmp     x0, #2
    b.eq    write_2
    cmp     x0, #4
    b.eq    write_4
    cmp     x0, #8
    b.eq    write_8
    cmp     x0, #16
    b.eq    read_8
    cmp     x0, #17
    b.eq    count
    cmp     x0, #18
    b.eq    spin
    cmp     x0, #19
    b.eq    system_off
    cmp     x0, #20
    b.eq    system_reset
    cmp     x0, #21
    b.eq    starve_watchdog
    cmp     x0, #22
    b.eq    jump
    b       next

write_1:
    strb    w2, [x1]
    b       next
write_2:
    strh    w2, [x1]
    b       next
write_4:
    str     w2, [x1]
    b       next
write_8:
    str     x2, [x1]
    b       next

// The value at the address, to the VMM.
read_8:
    ldr     x3, [x1]
    str     x3, [x20, #CONTROL_RESULT]
    b       next

// 1 to VALUE, one after the other, to the address.
count:
    mov     x3, xzr
1:  add     x3, x3, #1
    str     x3, [x1]
    cmp     x3, x2
    b.lo    1b
    b       next

spin:
    b       spin

system_off:
    mov     w0, #(PSCI_SYSTEM_OFF & 0xffff)
    movk    w0, #(PSCI_SYSTEM_OFF >> 16), lsl #16
    hvc     #0
    b       spin
system_reset:
    mov     w0, #(PSCI_SYSTEM_RESET & 0xffff)
    movk    w0, #(PSCI_SYSTEM_RESET >> 16), lsl #16
    hvc     #0
    b       spin

// docs/interfaces.md, Watchdogs: no bark, the bite after VALUE milliseconds; on; never fed.
starve_watchdog:
    mov     w0, #(WATCHDOG_SET_TIME & 0xffff)
    movk    w0, #(WATCHDOG_SET_TIME >> 16), lsl #16
    mov     x1, #0
    hvc     #0
    mov     w0, #(WATCHDOG_CONTROL & 0xffff)
    movk    w0, #(WATCHDOG_CONTROL >> 16), lsl #16
    mov     x1, #3
    hvc     #0
    b       spin

// Registers stay as they are. There is no vector table: a jump to nowhere is one exception after the other.
jump:
    br      x1
guest_program_end:

// What a protected VM starts with: notes what it was given, and goes on with the above.
    .global firmware_program_begin, firmware_program_end
    .balign 8
firmware_program_begin:
    adr     x9, firmware_program_begin
    str     x0, [x9, #FIRMWARE_NOTE]
    mov     x10, #GUEST_BASE
    br      x10
firmware_program_end:

    .section .note.GNU-stack, "", %progbits
