// SPDX-License-Identifier: BSD-3-Clause
// Two vCPUs that do little but sleep in WFI: each waits for its timer, then for the other's SGI, and
// vCPU 0 for a doorbell that it has the VMM ring. A wake-up that gets lost ends in the watchdog's
// bite. MMU off, independent of its position, no exceptions: interrupts stay masked, and whoever
// wakes up asks the GIC why (IHI 0069, 4.1). wakeup_cases.cpp starts it by a jump: x1 is the address of
// vCPU 0's beginning, x2 the number of rounds. Where a VM begins with it x2 is 0: it then counts its
// doorbell's interrupts at guest_base + 0x8000, for ever (ringer_cases.cpp).
//
//          vCPU 0                          vCPU 1
//      timer, WFI                          WFI
//      doorbell, WFI                       .
//      SGI to 1  ------------------------> wakes
//      WFI                                 timer, WFI
//      wakes  <--------------------------- SGI to 0
//
//   x19 own number, x21 rounds left, x22 random, x24 who gets the SGI

#define DISTRIBUTOR      0x3fff0000
#define REDISTRIBUTORS   0x3ffb0000 /* of two vCPUs: guest_tree.cpp */
#define REPORT           0x10100000 /* guest.hpp, guest_device */
#define RING             0x10100008
#define COUNT            0x80008000

#define GICD_IGROUPR1    0x0084
#define GICD_ISENABLER1  0x0104
#define GICD_ICFGR2      0x0c08
#define GICD_IROUTER40   0x6140
#define GICR_WAKER       0x0014
#define GICR_SGI_FRAME   0x10000
#define GICR_IGROUPR0    0x0080
#define GICR_ISENABLER0  0x0100
#define ICC_PMR_EL1      S3_0_C4_C6_0
#define ICC_IAR1_EL1     S3_0_C12_C12_0
#define ICC_EOIR1_EL1    S3_0_C12_C12_1
#define ICC_SGI1R_EL1    S3_0_C12_C11_5
#define ICC_SRE_EL1      S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1  S3_0_C12_C12_7

#define SGI              0
#define TIMER            27
#define BELL             40
#define SPURIOUS         1023

#define PSCI_SYSTEM_OFF   0x84000008
#define PSCI_CPU_ON       0xc4000003
#define WATCHDOG_CONTROL  0x86000005
#define WATCHDOG_PET      0x86000007
#define WATCHDOG_SET_TIME 0x86000008
#define BITE_MS           30000
#define ROUNDS_OF_A_PET   256

    .macro  call number
    mov     w0, #(\number & 0xffff)
    movk    w0, #(\number >> 16), lsl #16
    hvc     #0
    .endm
    .macro  address register, value
    mov     \register, #(\value & 0xffff)
    movk    \register, #(\value >> 16), lsl #16
    .endm

    .section .rodata
    .global wakeup_program_begin, wakeup_program_end
    .balign 8
wakeup_program_begin:
    mov     x21, x2
    mov     x19, #0
    bl      prepare_distributor
    cbz     x21, count_bells
    bl      prepare_watchdog
    mov     x3, x21 // the other's rounds
    adr     x2, second
    mov     x1, #1
    call    PSCI_CPU_ON
    cbnz    w0, give_up
    bl      prepare_self
first_round:
    bl      wait_for_timer
    bl      wait_for_bell
    bl      send_sgi
    mov     w1, #SGI
    bl      wait_for
    sub     x21, x21, #1
    tst     x21, #(ROUNDS_OF_A_PET - 1)
    b.ne    1f
    call    WATCHDOG_PET
    address x0, REPORT
    str     w21, [x0]
1:  cbnz    x21, first_round
    call    PSCI_SYSTEM_OFF
give_up:
    b       give_up // for the watchdog

count_bells:
    bl      prepare_self
    address x2, COUNT
1:  mrs     x0, ICC_IAR1_EL1
    cmp     w0, #SPURIOUS
    b.eq    2f
    msr     ICC_EOIR1_EL1, x0
    add     x21, x21, #1
    str     x21, [x2]
    b       1b
2:  wfi
    b       1b

// vCPU 1: CPU_ON's context is the number of rounds, which CPU_ON takes from x3.
second:
    mov     x21, x0
    mov     x19, #1
    bl      prepare_self
1:  mov     w1, #SGI
    bl      wait_for
    bl      wait_for_timer
    bl      send_sgi
    sub     x21, x21, #1
    cbnz    x21, 1b
2:  wfi
    b       2b

// Until interrupt w1 has come. Any other one is a mistake of somebody's.
wait_for:
    mrs     x0, ICC_IAR1_EL1
    cmp     w0, #SPURIOUS
    b.eq    1f
    msr     ICC_EOIR1_EL1, x0
    cmp     w0, w1
    b.ne    give_up
    ret
1:  wfi
    b       wait_for

wait_for_timer:
    mov     x15, x30
    bl      random // up to 4095 ticks: it may fire before the WFI, at it, or after it
    and     x0, x0, #0xfff
    msr     CNTV_TVAL_EL0, x0
    mov     x0, #1
    msr     CNTV_CTL_EL0, x0
    isb
1:  mrs     x0, ICC_IAR1_EL1
    cmp     w0, #SPURIOUS
    b.ne    2f
    wfi
    b       1b
2:  msr     CNTV_CTL_EL0, xzr // before the end of interrupt: it is a level
    isb
    msr     ICC_EOIR1_EL1, x0
    cmp     w0, #TIMER
    b.ne    give_up
    ret     x15

wait_for_bell:
    address x0, RING
    str     w21, [x0]
    mov     w1, #BELL
    b       wait_for

// To the other, after a while: it may be about to sleep, or asleep for long.
send_sgi:
    mov     x15, x30
    bl      random
    and     x0, x0, #0x3ff
1:  subs    x0, x0, #1
    b.pl    1b
    msr     ICC_SGI1R_EL1, x24
    isb
    ret     x15

// x0: the next of a linear congruential generator (Knuth's MMIX), its better half.
random:
    movz    x0, #0x7f2d
    movk    x0, #0x4c95, lsl #16
    movk    x0, #0xf42d, lsl #32
    movk    x0, #0x5851, lsl #48
    mul     x22, x22, x0
    add     x22, x22, #1
    lsr     x0, x22, #33
    ret

// Group 1 is on; SPI 8 is an edge in Group 1, for vCPU 0.
prepare_distributor:
    address x1, DISTRIBUTOR
    mov     w0, #0x12 // GICD_CTLR: ARE, EnableGrp1
    str     w0, [x1]
    mov     w0, #(1 << (BELL - 32))
    str     w0, [x1, #GICD_IGROUPR1]
    mov     w2, #(2 << 16)
    str     w2, [x1, #GICD_ICFGR2]
    mov     x3, #GICD_IROUTER40
    str     xzr, [x1, x3]
    str     w0, [x1, #GICD_ISENABLER1]
    ret

prepare_watchdog:
    mov     x1, #0
    mov     x2, #BITE_MS
    call    WATCHDOG_SET_TIME
    mov     x1, #3
    call    WATCHDOG_CONTROL
    ret

// The own redistributor and CPU interface.
prepare_self:
    mrs     x22, CNTVCT_EL0
    eor     x24, x19, #1
    mov     x0, #1
    lsl     x24, x0, x24 // ICC_SGI1R_EL1.TargetList; Aff1 is 0, SGI is 0
    address x3, REDISTRIBUTORS
    add     x3, x3, x19, lsl #17
    str     wzr, [x3, #GICR_WAKER]
1:  ldr     w0, [x3, #GICR_WAKER]
    tbnz    w0, #2, 1b // ChildrenAsleep
    add     x3, x3, #GICR_SGI_FRAME
    mov     w0, #-1
    str     w0, [x3, #GICR_IGROUPR0]
    address x0, ((1 << TIMER) | (1 << SGI))
    str     w0, [x3, #GICR_ISENABLER0]
    mov     x0, #1
    msr     ICC_SRE_EL1, x0
    isb
    mov     x0, #0xff
    msr     ICC_PMR_EL1, x0
    mov     x0, #1
    msr     ICC_IGRPEN1_EL1, x0
    isb
    ret
wakeup_program_end:

    .section .note.GNU-stack, "", %progbits
