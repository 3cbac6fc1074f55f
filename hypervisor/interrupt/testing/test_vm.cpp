// SPDX-License-Identifier: BSD-3-Clause
// The VM that the tests of the interrupt layer share.
#include "interrupt/testing/test_vm.hpp"

#include "heap/page_allocator.hpp"

#include <array>

namespace hyp::fake {

HwIrq& VicTest::line(std::uint32_t intid) {
    static const std::array<Ref<HwIrq>, 4> lines{make_object<HwIrq>(40u), make_object<HwIrq>(41u),
                                                 make_object<HwIrq>(42u), make_object<HwIrq>(43u)};
    return *lines.at(intid - 40);
}

void VicTest::SetUp() {
    if (page_allocator().total_pages() == 0) {
        ASSERT_TRUE(page_allocator().set_pool(pool.base, pool.size));
    }
    line(40);
    TestMachine::SetUp();
    machine = std::make_unique<MachineGic>();
}

void VicTest::TearDown() {
    drop_vm();
    machine.reset();
    set_cpu_index(0);
    TestMachine::TearDown();
}

void VicTest::make_vm(unsigned vcpus, unsigned list_registers) {
    reset_gic(list_registers);
    machine->start();
    vic = make_object<Vic>();
    ASSERT_TRUE(vic->configure(8, 96));
    ASSERT_TRUE(vic->activate());
    for (unsigned n = 0; n < vcpus; n++) {
        vcpu.push_back(std::make_unique<TestVcpu>());
        vcpu[n]->home = n;
        ASSERT_TRUE(vic->attach_vcpu(n, vcpu[n]->interrupts));
        guest.emplace_back(n, machine.get());
        // As a kernel that has set up its CPU interface.
        enter(n);
        guest[n].start();
        write(1 + n, 0x14, 0);
        exit(n);
    }
    set_cpu_index(0);
    write(0, 0, 2);
    for (auto& each : vcpu) {
        each->told = 0;
    }
}

void VicTest::drop_vm() {
    for (unsigned n = 0; n < vcpu.size(); n++) {
        for (unsigned cpu = 0; cpu < MachineGic::cpus; cpu++) {
            set_cpu_index(cpu);
            vcpu[n]->interrupts.exit();
        }
    }
    vcpu.clear();
    guest.clear();
    vic = nullptr;
}

std::uint64_t VicTest::read(unsigned interface, std::uint64_t offset, unsigned size) {
    MmioAccess access{offset, size, false, 0x5555'5555'5555'5555};
    vic->vdevice(interface)->access(access);
    return access.value;
}

void VicTest::write(unsigned interface, std::uint64_t offset, std::uint64_t value, unsigned size) {
    MmioAccess access{offset, size, true, value};
    vic->vdevice(interface)->access(access);
}

bool VicTest::bit(unsigned interface, std::uint64_t offset, std::uint32_t intid) {
    const std::uint64_t frame = interface == 0 ? 0 : sgi_frame;
    return (read(interface, frame + offset + intid / 32 * 4) >> intid % 32 & 1) != 0;
}

void VicTest::set_bit(unsigned interface, std::uint64_t offset, std::uint32_t intid) {
    const std::uint64_t frame = interface == 0 ? 0 : sgi_frame;
    write(interface, frame + offset + intid / 32 * 4, 1u << intid % 32);
}

void VicTest::enable(std::uint32_t intid, std::uint8_t priority, bool edge, unsigned n) {
    const unsigned interface = intid < 32 ? 1 + n : 0;
    const std::uint64_t frame = interface == 0 ? 0 : sgi_frame;
    const std::uint64_t config = frame + icfgr + intid / 16 * 4;
    const std::uint64_t field = 2ull << (intid % 16 * 2);
    const std::uint64_t others = read(interface, config) & ~field;
    write(interface, config, others | (edge ? field : 0));
    write(interface, frame + ipriorityr + intid, priority, 1);
    set_bit(interface, isenabler, intid);
}

} // namespace hyp::fake
