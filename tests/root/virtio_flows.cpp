// SPDX-License-Identifier: BSD-3-Clause
// virtio-mmio devices: this program is the backend, a driver in a VM follows VIRTIO 1.2, 4.2.
#include "guest.hpp"

namespace root {

namespace {

constexpr std::uint64_t page_at = 0x40000; // IPA of the device in the VM

void must(const char* what, const Registers& results) {
    expect_error(what, results, GH_ERROR_OK);
}

// Offsets and bits: 4.2.2.
std::uint32_t read32(const std::byte* page, std::size_t offset) {
    return *reinterpret_cast<const volatile std::uint32_t*>(page + offset);
}

/// A driver's way through a device of two queues, in a VM, as Linux' virtio_mmio does it.
void virtio_driver() {
    const std::uint64_t page = make(Kind::memextent);
    const std::uint64_t device = make(Kind::virtio, State::init);
    must("configure", call(GH_VIRTIO_MMIO_CONFIGURE, device, page, 2, 0, 0, 8));
    must("activate", call(GH_OBJECT_ACTIVATE, device));
    must("queue", call(GH_VIRTIO_MMIO_BACKEND_SET_QUEUE_NUM_MAX, device, 1, 256));
    must("features", call(GH_VIRTIO_MMIO_BACKEND_SET_DEV_FEATURES, device, 0, 0x20));
    std::byte* view = look_into(page);
    expect_equal("magic", read32(view, 0), 0x74726976);
    expect_equal("version", read32(view, 4), 2);
    Guest guest;
    guest.map(page, page_at, GH_ACCESS_R);
    const auto reg = [](std::uint64_t offset, std::uint32_t value) {
        return store_command(page_at + offset, value);
    };
    const Command list[] = {reg(0x70, 0),
                            reg(0x70, 1),
                            reg(0x70, 3),
                            reg(0x14, 1),
                            load_command(page_at + 0x10),
                            reg(0x24, 1),
                            reg(0x20, 3),
                            reg(0x24, 0),
                            reg(0x20, 0x20),
                            reg(0x70, 11),
                            load_command(page_at + 0x70),
                            reg(0x30, 1),
                            load_command(page_at + 0x34),
                            reg(0x38, 128),
                            reg(0x80, 0x1000),
                            reg(0x84, 1),
                            reg(0x90, 0x2000),
                            reg(0xa0, 0x3000),
                            reg(0x44, 1),
                            load_command(page_at + 0x44),
                            reg(0x70, 15),
                            reg(0x50, 1),
                            reg(0x104, 77),
                            end_command};
    expect_equal("state", guest.execute(list)[1], GH_VCPU_STATE_EXPECTS_WAKEUP);
    expect_equal("features 63:32", guest.commands[4].a, 3);
    expect_equal("FEATURES_OK", guest.commands[10].a, 11);
    expect_equal("QueueNumMax", guest.commands[12].a, 256);
    expect_equal("QueueReady", guest.commands[19].a, 1);
    expect_equal("driver features", call(GH_VIRTIO_MMIO_BACKEND_GET_DRV_FEATURES, device, 0)[1],
                 0x20);
    const Registers queue = call(GH_VIRTIO_MMIO_BACKEND_GET_QUEUE_INFO, device, 1);
    expect_equal("size", queue[1], 128);
    expect_equal("ready", queue[2], 1);
    expect_equal("descriptors", queue[3], 0x100001000);
    expect_equal("driver area", queue[4], 0x2000);
    expect_equal("device area", queue[5], 0x3000);
    const Registers notified = call(GH_VIRTIO_MMIO_BACKEND_GET_NOTIFICATION, device);
    expect_equal("queues", notified[1], 2);
    expect_equal("reasons", notified[2], GH_VIRTIO_NOTIFY_NEW_BUFFER | GH_VIRTIO_NOTIFY_DRIVER_OK);
    expect_equal("taken", call(GH_VIRTIO_MMIO_BACKEND_GET_NOTIFICATION, device)[2], 0);
    expect_equal("configuration", read32(view, 0x104), 77);
    must("interrupt", call(GH_VIRTIO_MMIO_BACKEND_ASSERT_VIRQ, device, 1));
    expect_equal("InterruptStatus", read32(view, 0x60), 1);
}

/// The driver's interrupt: high from the backend's assertion until all its causes are acknowledged.
void virtio_interrupt() {
    constexpr std::uint64_t distributor = 0x20000;
    constexpr std::uint32_t irq = 45;
    constexpr Command acknowledge = instruction_command(0xd538cc00); // mrs x0, icc_iar1_el1
    constexpr Command end_of = instruction_command(0xd518cc20, irq); // msr icc_eoir1_el1, x0
    constexpr Command all_priorities = instruction_command(0xd5184600, 0xff); // icc_pmr_el1
    constexpr Command group_1 = instruction_command(0xd518cce0, 1);           // icc_igrpen1_el1
    const std::uint64_t page = make(Kind::memextent);
    const std::uint64_t device = make(Kind::virtio, State::init);
    must("configure", call(GH_VIRTIO_MMIO_CONFIGURE, device, page, 1, 0, 0, 0));
    must("activate", call(GH_OBJECT_ACTIVATE, device));
    Guest guest;
    guest.map(page, page_at, GH_ACCESS_R);
    must("distributor",
         call(GH_ADDRSPACE_ATTACH_VDEVICE, guest.space, guest.vic, 0, distributor, 0x10000));
    must("bind", call(GH_VIRTIO_MMIO_BIND_FRONTEND_VIRQ, device, guest.vic, irq));
    const Command list[] = {store_command(distributor, 0x12),
                            store_command(distributor + 0x84, ~0u),
                            store_command(distributor + 0x104, 1u << (irq - 32)),
                            all_priorities,
                            group_1,
                            smc_command(0xc4000001, 0), // CPU_SUSPEND
                            acknowledge,
                            load_command(page_at + 0x60),
                            store_command(page_at + 0x64, 1), // InterruptACK
                            end_of,
                            acknowledge, // again: the other cause
                            store_command(page_at + 0x64, 2),
                            load_command(page_at + 0x60),
                            end_of,
                            acknowledge,
                            end_command};
    expect_equal("state", guest.execute(list)[1], GH_VCPU_STATE_EXPECTS_WAKEUP);
    must("interrupt", call(GH_VIRTIO_MMIO_BACKEND_ASSERT_VIRQ, device, 3));
    expect_equal("then", guest.run()[1], GH_VCPU_STATE_EXPECTS_WAKEUP);
    expect_equal("interrupt", guest.commands[6].c, irq);
    expect_equal("InterruptStatus", guest.commands[7].a, 3);
    expect_equal("for what is left", guest.commands[10].c, irq);
    expect_equal("InterruptStatus", guest.commands[12].a, 0);
    expect_equal("nothing is left", guest.commands[14].c, 1023);
}

void virtio_reset() {
    const std::uint64_t page = make(Kind::memextent);
    const std::uint64_t device = make(Kind::virtio, State::init);
    must("configure", call(GH_VIRTIO_MMIO_CONFIGURE, device, page, 1, 0, 0, 0));
    must("activate", call(GH_OBJECT_ACTIVATE, device));
    Guest guest;
    guest.map(page, page_at, GH_ACCESS_R);
    const Command list[] = {store_command(page_at + 0x70, 0x83), store_command(page_at + 0x70, 0),
                            load_command(page_at + 0x70), store_command(page_at + 0x70, 1),
                            end_command};
    (void)guest.execute(list);
    expect_equal("Status shows what it was", guest.commands[2].a, 0x83);
    expect_equal("reasons", call(GH_VIRTIO_MMIO_BACKEND_GET_NOTIFICATION, device)[2],
                 GH_VIRTIO_NOTIFY_RESET | GH_VIRTIO_NOTIFY_FAILED);
    expect_error("interrupt", call(GH_VIRTIO_MMIO_BACKEND_ASSERT_VIRQ, device, 1), GH_ERROR_DENIED);
    must("acknowledge", call(GH_VIRTIO_MMIO_BACKEND_ACKNOWLEDGE_RESET, device));
    expect_equal("Status", read32(look_into(page), 0x70), 0);
    must("interrupt", call(GH_VIRTIO_MMIO_BACKEND_ASSERT_VIRQ, device, 1));
}

void virtio_input() {
    const std::uint64_t page = make(Kind::memextent);
    const std::uint64_t device = make(Kind::virtio, State::init);
    must("configure", call(GH_VIRTIO_MMIO_CONFIGURE, device, page, 1, GH_VIRTIO_OPTION_TYPE_VALID,
                           GH_VIRTIO_DEVICE_INPUT, 136));
    must("activate", call(GH_OBJECT_ACTIVATE, device));
    static const char name[] = "keys";
    const auto at = reinterpret_cast<std::uintptr_t>(name);
    expect_error("too soon", call(GH_VIRTIO_INPUT_SET_DATA, device, 1, 0, 4, at),
                 GH_ERROR_OBJECT_CONFIG);
    must("input", call(GH_VIRTIO_INPUT_CONFIGURE, device, 0x0004000300020001, 0x102, 1, 0));
    must("name", call(GH_VIRTIO_INPUT_SET_DATA, device, 1, 0, 4, at));
    expect_error("again", call(GH_VIRTIO_INPUT_SET_DATA, device, 1, 0, 4, at),
                 GH_ERROR_OBJECT_CONFIGURED);
    must("event type", call(GH_VIRTIO_INPUT_SET_DATA, device, 0x11, 1, 4, at));
    expect_error("no room", call(GH_VIRTIO_INPUT_SET_DATA, device, 0x11, 2, 4, at),
                 GH_ERROR_NORESOURCES);
    Guest guest;
    guest.map(page, page_at, GH_ACCESS_R);
    const auto select = [](std::uint32_t which) { return store_command(page_at + 0x100, which); };
    const Command list[] = {select(1),
                            load_command(page_at + 0x100),
                            load_command(page_at + 0x108),
                            select(3),
                            load_command(page_at + 0x108),
                            load_command(page_at + 0x10c),
                            select(0x10),
                            load_command(page_at + 0x100),
                            select(0x111),
                            load_command(page_at + 0x100),
                            select(0x211),
                            load_command(page_at + 0x100),
                            end_command};
    (void)guest.execute(list);
    expect_equal("size of the name", guest.commands[1].a >> 16, 4);
    expect_equal("name", guest.commands[2].a, 0x7379656b);
    expect_equal("bus and vendor", guest.commands[4].a, 0x00020001);
    expect_equal("product and version", guest.commands[5].a, 0x00040003);
    expect_equal("size of the properties", guest.commands[7].a >> 16, 2);
    expect_equal("size of event type 1", guest.commands[9].a >> 16, 4);
    expect_equal("size of event type 2", guest.commands[11].a >> 16, 0);
}

constexpr Check flows[] = {
    {"virtio_driver", virtio_driver},
    {"virtio_interrupt", virtio_interrupt},
    {"virtio_reset", virtio_reset},
    {"virtio_input", virtio_input},
};

} // namespace

void run_virtio_flows() {
    run_all("flow", flows);
}

} // namespace root
