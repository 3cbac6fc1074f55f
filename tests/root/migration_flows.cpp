// SPDX-License-Identifier: BSD-3-Clause
// What a vCPU takes along from CPU to CPU: active interrupts and their priorities, interrupts of
// hardware, both timers, vector registers. Another vCPU uses each CPU that it has left.
#include "live.hpp"

#include <algorithm>

namespace root {

namespace {

// MRS and MSR with x0; o0 as in S3_0_C12_C12_0.
constexpr std::uint32_t encoded(unsigned op1, unsigned crn, unsigned crm, unsigned op2) {
    return op1 << 16 | crn << 12 | crm << 8 | op2 << 5;
}
constexpr Command read(std::uint32_t encoding) {
    return instruction_command(0xd5380000 | encoding);
}
constexpr Command write(std::uint32_t encoding, std::uint64_t value) {
    return instruction_command(0xd5180000 | encoding, value);
}
constexpr Command sleep_command = instruction_command(0xd503207f); // WFI

constexpr std::uint32_t cpacr = encoded(0, 1, 0, 2);
constexpr std::uint32_t icc_iar0 = encoded(0, 12, 8, 0), icc_eoir0 = encoded(0, 12, 8, 1);
constexpr std::uint32_t icc_ap0r0 = encoded(0, 12, 8, 4), icc_ap1r0 = encoded(0, 12, 9, 0);
constexpr std::uint32_t icc_rpr = encoded(0, 12, 11, 3), icc_sgi1r = encoded(0, 12, 11, 5);
constexpr std::uint32_t icc_sgi0r = encoded(0, 12, 11, 7), icc_pmr = encoded(0, 4, 6, 0);
constexpr std::uint32_t icc_iar1 = encoded(0, 12, 12, 0), icc_eoir1 = encoded(0, 12, 12, 1);
constexpr std::uint32_t icc_sre = encoded(0, 12, 12, 5), icc_igrpen0 = encoded(0, 12, 12, 6);
constexpr std::uint32_t icc_igrpen1 = encoded(0, 12, 12, 7);
constexpr std::uint32_t cntpct = encoded(3, 14, 0, 1), cntvct = encoded(3, 14, 0, 2);
constexpr std::uint32_t cntp_ctl = encoded(3, 14, 2, 1), cntp_cval = encoded(3, 14, 2, 2);
constexpr std::uint32_t cntv_ctl = encoded(3, 14, 3, 1), cntv_cval = encoded(3, 14, 3, 2);

constexpr std::uint64_t spurious = 1023;

void must(const char* what, const Registers& results) {
    expect_error(what, results, GH_ERROR_OK);
}

/// With a GIC: SGIs, timers and the clock's interrupt enabled, SGI 3 in group 0.
struct Traveller : Live {
    static constexpr std::uint64_t distributor = 0x20000, redistributor = 0x40000;
    static constexpr std::uint64_t sgi_frame = redistributor + 0x10000;

    Traveller() : Live(1) {
        must("distributor", call(GH_ADDRSPACE_ATTACH_VDEVICE, space, vic, 0, distributor, 0x10000));
        must("redistributor",
             call(GH_ADDRSPACE_ATTACH_VDEVICE, space, vic, 1, redistributor, 0x20000));
        must("configure", call(GH_VCPU_CONFIGURE, vcpu, GH_VCPU_OPTION_EXT_SVE));
        wait_for_lists();
    }
    void set_up() {
        perform({store_command(distributor, 0x13), store_command(redistributor + 0x14, 0),
                 store_command(sgi_frame + 0x80, ~(1u << 3)),
                 store_command(sgi_frame + 0x100, 0xffff | 1u << 27 | 1u << 30),
                 store_command(sgi_frame + 0x400, 0x20c060a0), // SGI 0: a0, 1: 60, 2: c0, 3: 20
                 write(icc_sre, 7), write(icc_pmr, 0xff), write(icc_igrpen0, 1),
                 write(icc_igrpen1, 1)});
    }
    /// On the CPU from which the other one has just been: each has used the other's place.
    void change_places(Live& other, std::uint64_t cpu) {
        move(cpu);
        other.move(1 - cpu);
    }
    void expect_result(const char* what, std::size_t index, std::uint64_t expected) const {
        if (command(index).c != expected) {
            fail("{}: got {x}, expected {x}", what, command(index).c, expected);
        }
    }
};

/// Two active interrupts of group 1, one of group 0, and one that none of them lets through.
void nested_interrupts() {
    Traveller vm;
    Traveller other;
    vm.set_up();
    other.set_up();
    for (unsigned round = 0; round < 10; ++round) {
        vm.perform({write(icc_sgi1r, 1), read(icc_iar1), write(icc_sgi1r, 1 << 24 | 1),
                    read(icc_iar1), write(icc_sgi0r, 3 << 24 | 1), read(icc_iar0),
                    write(icc_sgi1r, 2 << 24 | 1), read(icc_rpr), read(icc_ap0r0),
                    read(icc_ap1r0)});
        vm.expect_result("first", 1, 0);
        vm.expect_result("nested", 3, 1);
        vm.expect_result("of group 0", 5, 3);
        vm.expect_result("running priority", 7, 0x20);
        const std::uint64_t ap0r = vm.command(8).c;
        const std::uint64_t ap1r = vm.command(9).c;
        vm.change_places(other, 0);
        other.perform(
            {write(icc_sgi1r, 2 << 24 | 1), read(icc_iar1), read(icc_rpr), write(icc_eoir1, 2)});
        other.expect_result("the other's", 1, 2);
        other.expect_result("the other's running priority", 2, 0xc0);
        vm.perform({read(icc_rpr), read(icc_ap0r0), read(icc_ap1r0), read(icc_iar1), read(icc_iar0),
                    load_command(Traveller::sgi_frame + 0x300), // GICR_ISACTIVER0
                    write(icc_eoir0, 3), read(icc_rpr), read(icc_iar1)});
        vm.expect_result("running priority elsewhere", 0, 0x20);
        vm.expect_result("ICC_AP0R0_EL1", 1, ap0r);
        vm.expect_result("ICC_AP1R0_EL1", 2, ap1r);
        vm.expect_result("nothing gets through", 3, spurious);
        vm.expect_result("nothing of group 0", 4, spurious);
        expect_equal("active", vm.command(5).a, 0xb);
        vm.expect_result("running priority below", 7, 0x60);
        vm.expect_result("still nothing gets through", 8, spurious);
        vm.change_places(other, 1);
        vm.perform({write(icc_eoir1, 1), read(icc_rpr), write(icc_eoir1, 0), read(icc_rpr),
                    read(icc_iar1), write(icc_eoir1, 2), read(icc_ap1r0), read(icc_ap0r0),
                    load_command(Traveller::sgi_frame + 0x300), read(icc_iar1)});
        vm.expect_result("running priority of the first", 1, 0xa0);
        vm.expect_result("idle", 3, 0xff);
        vm.expect_result("what waited", 4, 2);
        vm.expect_result("ICC_AP1R0_EL1 at the end", 6, 0);
        vm.expect_result("ICC_AP0R0_EL1 at the end", 7, 0);
        expect_equal("active at the end", vm.command(8).a, 0);
        vm.expect_result("nothing more", 9, spurious);
    }
}

/// The clock of QEMU's `virt` (PL031, Arm DDI 0224), whose interrupt is level-sensitive.
struct Clock {
    static constexpr std::uint64_t physical = 0x0901'0000, at = 0x60000;
    static constexpr std::uint32_t intid = 34;
    static constexpr std::uint64_t data = at, match = at + 4, mask = at + 0x10;
    static constexpr std::uint64_t status = at + 0x14, clear = at + 0x1c;
    std::uint64_t irq = with_rights(
        reinterpret_cast<const std::uint64_t*>(boot->hwirq_caps_ipa)[intid - 32], GH_RIGHTS_ALL);

    explicit Clock(const Traveller& vm) {
        const std::uint64_t extent = make(Kind::memextent, State::init);
        must("derive",
             call(GH_MEMEXTENT_CONFIGURE_DERIVE, extent, boot->device_extent_cap, physical,
                  page_size,
                  GH_ACCESS_RW | GH_MEMEXTENT_MEMTYPE_DEVICE << GH_MEMEXTENT_ATTR_MEMTYPE_SHIFT));
        must("activate", call(GH_OBJECT_ACTIVATE, extent));
        constexpr std::uint64_t attributes =
            GH_ACCESS_RW | GH_ACCESS_RW << GH_MAP_ATTR_KERNEL_SHIFT |
            std::uint64_t{GH_MAP_MEMTYPE_DEVICE_NGNRE} << GH_MAP_ATTR_MEMTYPE_SHIFT;
        must("map", call(GH_ADDRSPACE_MAP, vm.space, extent, at, attributes));
        must("bind", call(GH_HWIRQ_BIND_VIRQ, irq, vm.vic, intid));
    }
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    ~Clock() { (void)call(GH_HWIRQ_UNBIND_VIRQ, irq); }

    /// Its line rises: it fires when its seconds are those of the match register, which may be over
    /// before they stand there.
    static void raise(Traveller& vm) {
        vm.perform({store_command(mask, 1)});
        do {
            vm.perform({load_command(data)});
            const auto seconds = static_cast<std::uint32_t>(vm.command(0).a);
            vm.perform({store_command(match, seconds), load_command(status)});
        } while (vm.command(1).a == 0);
    }
    /// Its interrupt comes within the second.
    static void acknowledge(const char* where, Traveller& vm) {
        const std::uint64_t start = ticks();
        do {
            if (ticks() - start > ticks_of_ms(5000)) {
                fail("{}: the interrupt does not come", where);
            }
            vm.perform({read(icc_iar1)});
        } while (vm.command(0).c == spurious);
        vm.expect_result(where, 0, intid);
    }
    static void lower(Traveller& vm) { vm.perform({store_command(clear, 1)}); }
};

/// Pending, then active, while it moves; after its end it can come again on either CPU.
void hardware_interrupt() {
    Traveller vm;
    Traveller other;
    vm.set_up();
    other.set_up();
    const Clock clock(vm);
    vm.perform({store_command(Traveller::distributor + 0x84, ~0u),
                store_command(Traveller::distributor + 0x104, 1u << (Clock::intid - 32))});
    std::uint64_t cpu = 1;
    for (unsigned round = 0; round < 6; ++round) {
        Clock::raise(vm);
        vm.change_places(other, cpu = 1 - cpu);
        Clock::acknowledge("raised before the move", vm);
        vm.change_places(other, cpu = 1 - cpu);
        vm.perform({read(icc_rpr), read(icc_iar1)});
        vm.expect_result("active: its level does not count", 1, spurious);
        Clock::lower(vm);
        vm.perform({write(icc_eoir1, Clock::intid), read(icc_rpr), read(icc_iar1)});
        vm.expect_result("ended", 1, 0xff);
        vm.expect_result("its line is low", 2, spurious);
        Clock::raise(vm);
        Clock::acknowledge("again, where it is", vm);
        // Its line still high, it comes again at once.
        vm.perform({write(icc_eoir1, Clock::intid)});
        vm.change_places(other, cpu = 1 - cpu);
        Clock::acknowledge("still high", vm);
        Clock::lower(vm);
        vm.perform({write(icc_eoir1, Clock::intid), read(icc_iar1)});
        vm.expect_result("nothing is left", 1, spurious);
    }
}

/// What the virtual counter is ahead of the physical one, from readings of one before and behind
/// the other.
struct Offset {
    std::int64_t least = INT64_MIN;
    std::int64_t most = INT64_MAX;

    void read_in(Traveller& vm) {
        vm.perform({read(cntvct), read(cntpct), read(cntvct)});
        const auto at = [&](std::size_t i) { return static_cast<std::int64_t>(vm.command(i).c); };
        least = std::max(least, at(0) - at(1));
        most = std::min(most, at(2) - at(1));
        if (least > most) {
            fail("the virtual counter has drifted by {} ticks", least - most);
        }
    }
};

/// Set on one CPU, waited for on the other.
void timers() {
    Traveller vm;
    Traveller other;
    vm.set_up();
    other.set_up();
    Offset offset;
    std::uint64_t cpu = 1;
    std::uint64_t latest = 0;
    for (unsigned round = 0; round < 20; ++round) {
        const bool is_virtual = round % 2 == 0;
        const std::uint32_t control = is_virtual ? cntv_ctl : cntp_ctl;
        offset.read_in(vm);
        const std::uint64_t at = vm.command(0).c + ticks_of_ms(10 + round);
        vm.perform(
            {write(is_virtual ? cntv_cval : cntp_cval, at), write(control, 1), read(control)});
        if (const std::uint64_t status = vm.command(2).c; status != 1 && ticks() < at) {
            fail("the timer's control is {x} before its time", status);
        }
        if (round % 4 < 2) { // asleep when it moves, or awake
            vm.begin({sleep_command, read(cntvct), read(control), read(icc_iar1)});
            spin_ms(3);
            vm.change_places(other, cpu = 1 - cpu);
        } else {
            vm.change_places(other, cpu = 1 - cpu);
            vm.begin({sleep_command, read(cntvct), read(control), read(icc_iar1)});
        }
        vm.finish();
        if (vm.command(1).c < at) {
            fail("round {}: it woke {} ticks early", round, at - vm.command(1).c);
        }
        latest = std::max(latest, vm.command(1).c - at);
        vm.expect_result("enabled and due", 2, 5);
        vm.expect_result("interrupt", 3, is_virtual ? 27 : 30);
        offset.read_in(vm);
        vm.perform({write(control, 0), write(icc_eoir1, is_virtual ? 27 : 30), read(icc_iar1)});
        vm.expect_result("nothing more", 2, spurious);
    }
    if (latest > ticks_of_ms(1000)) {
        fail("it woke {} ticks late", latest);
    }
}

/// Ticks from the timer's time to the next instruction of a vCPU that slept; less than 0: it was
/// too late for that.
std::int64_t wake_up(Traveller& vm, bool is_virtual) {
    const std::uint32_t control = is_virtual ? cntv_ctl : cntp_ctl;
    const std::uint64_t intid = is_virtual ? 27 : 30;
    vm.perform({read(cntvct)});
    const std::uint64_t at = vm.command(0).c + ticks_of_ms(20);
    vm.perform({write(is_virtual ? cntv_cval : cntp_cval, at), write(control, 1), read(cntvct),
                sleep_command, read(cntvct), read(icc_iar1), write(control, 0),
                write(icc_eoir1, intid)});
    vm.expect_result("interrupt", 5, intid);
    if (vm.command(2).c + ticks_of_ms(1) > at) {
        return -1;
    }
    if (vm.command(4).c < at) {
        fail("it woke {} ticks early", at - vm.command(4).c);
    }
    return static_cast<std::int64_t>(vm.command(4).c - at);
}

/// Its CPU runs another meanwhile, of lower priority, which never leaves by itself: it has it back
/// within a tick of a Linux host with HZ=250. On a busy computer most rounds measure that computer,
/// so it is tried again.
void wake_up_beside_another() {
    Traveller vm;
    Live busy(1);
    vm.set_up();
    must("priority", call(GH_VCPU_SET_PRIORITY, busy.vcpu, 5));
    busy.count();
    for (const bool is_virtual : {true, false}) {
        const std::uint64_t start = ticks();
        for (unsigned in_time = 0; in_time < 3;) {
            const std::uint64_t counted = busy.counted();
            const std::int64_t late = wake_up(vm, is_virtual);
            const bool tick = late >= 0 && late <= static_cast<std::int64_t>(ticks_of_ms(4));
            in_time += tick && busy.counted() != counted ? 1 : 0;
            if (ticks() - start > ticks_of_ms(30'000)) {
                fail("{} rounds in which it woke within a tick", in_time);
            }
        }
    }
}

/// V0, the upper half of V31 and, where the CPU has SVE, the last part of Z31.
void vectors() {
    Traveller vm;
    Traveller other;
    constexpr std::uint64_t fpen_zen = 3 << 20 | 3 << 16;
    constexpr std::uint32_t id_pfr0 = encoded(0, 0, 4, 0);
    constexpr Command read_v0 = instruction_command(0x9e660000);  // fmov x0, d0
    constexpr Command read_v31 = instruction_command(0x9eae03e0); // fmov x0, v31.d[1]
    constexpr Command read_z31 = instruction_command(0x05e1a3e0); // lastb x0, p0, z31.d
    const auto fill = [](Traveller& traveller, std::uint64_t seed) {
        traveller.perform({write(cpacr, fpen_zen),
                           instruction_command(0x05e0381f, seed + 2), // mov z31.d, x0
                           instruction_command(0x25d8e3e0),           // ptrue p0.d
                           instruction_command(0x9e670000, seed),     // fmov d0, x0
                           read(id_pfr0)});
        if ((traveller.command(4).c >> 32 & 0xf) == 0) {
            traveller.perform({instruction_command(0x9eaf001f, seed + 1)}); // fmov v31.d[1], x0
        }
    };
    const auto check = [&](const char* who, Traveller& traveller, std::uint64_t seed) {
        traveller.perform({read_v0, read_v31, read_z31, read(id_pfr0)});
        const bool has_sve = (traveller.command(3).c >> 32 & 0xf) != 0;
        traveller.expect_result(who, 0, seed);
        traveller.expect_result(who, 1, seed + (has_sve ? 2 : 1));
        traveller.expect_result(who, 2, has_sve ? seed + 2 : 0);
    };
    constexpr std::uint64_t ours = 0x1234'5678'9abc'def0, theirs = 0xfedc'ba98'7654'3210;
    fill(vm, ours);
    std::uint64_t cpu = 1;
    for (unsigned round = 0; round < 20; ++round) {
        vm.change_places(other, cpu = 1 - cpu);
        fill(other, theirs + round);
        check("the vCPU's own", vm, ours);
        check("the other's", other, theirs + round);
    }
}

constexpr Check flows[] = {
    {"nested_interrupts", nested_interrupts},
    {"hardware_interrupt", hardware_interrupt},
    {"timers", timers},
    {"wake_up_beside_another", wake_up_beside_another},
    {"vectors", vectors},
};

} // namespace

void run_migration_flows() {
    run_all("migration", flows);
}

} // namespace root
