// SPDX-License-Identifier: BSD-3-Clause
// What calls do together: watchdogs, system suspend, information areas, traces,
// random numbers, full capability spaces, bindings.
#include "guest.hpp"

#include <abi/info_area.h>

#include <atomic>
#include <cstring>
#include <iterator>

namespace root {

namespace {

constexpr std::uint64_t unchanged = ~std::uint64_t{0};
constexpr std::uint64_t page_at = 0x40000; // IPA of a second page of a guest

void must(const char* what, const Registers& results) {
    expect_error(what, results, GH_ERROR_OK);
}

void identify() {
    for (const Form form : {Form::native, Form::smccc}) {
        const Registers results = call(form, GH_HYPERVISOR_IDENTIFY, {});
        expect_equal("API info", results[0], GH_API_INFO);
        expect_equal("features", results[1], 0xff);
        expect_equal("our extensions", results[3], GH_EXT_FEATURE_DOORBELL_RING);
    }
}

void unknown_calls() {
    for (unsigned number = 0; number < 256; ++number) {
        constexpr unsigned gaps[] = {0x08, 0x16, 0x1e, 0x35, 0x36, 0x37, 0x67, 0x69, 0xff};
        for (const unsigned gap : gaps) {
            if (number == gap) {
                for (const Form form : {Form::native, Form::smccc}) {
                    expect_error("an unassigned number", call(form, number, {}),
                                 GH_ERROR_UNIMPLEMENTED);
                }
            }
        }
    }
}

constexpr std::uint64_t watchdog_control = 0x86000005;
constexpr std::uint64_t watchdog_status = 0x86000006;
constexpr std::uint64_t watchdog_ping = 0x86000007;
constexpr std::uint64_t watchdog_set_time = 0x86000008;

struct Watched {
    std::uint64_t dog = make(Kind::watchdog);
    Guest guest;

    Watched() { must("attach", call(GH_WATCHDOG_ATTACH_VCPU, dog, guest.vcpu)); }
};

void watchdog_bites() {
    Watched vm;
    const Command list[] = {smc_command(watchdog_set_time, 5, 20), smc_command(watchdog_control, 3),
                            smc_command(watchdog_ping), smc_command(watchdog_status), loop_command};
    const std::uint64_t start = ticks();
    const Registers end = vm.guest.execute(list);
    expect_equal("state", end[1], GH_VCPU_STATE_FAULT);
    expect_equal("reason", end[2], GH_VCPU_FAULT_WATCHDOG_BITE);
    if (ticks() - start < ticks_of_ms(20)) {
        fail("the bite came early");
    }
    for (unsigned i = 0; i < 4; ++i) {
        expect_equal("the service's result", vm.guest.commands[i].a, 0);
    }
    expect_equal("enabled", vm.guest.commands[3].b, 1);
    expect_error("poweron", call(GH_VCPU_POWERON, vm.guest.vcpu), GH_ERROR_OBJECT_STATE);
}

void watchdog_frozen() {
    Watched vm;
    must("freeze", call(GH_WATCHDOG_MANAGE, vm.dog, GH_WATCHDOG_MANAGE_FREEZE));
    const Command list[] = {smc_command(watchdog_set_time, 1, 1), smc_command(watchdog_control, 3),
                            smc_command(watchdog_set_time, 2, 1), smc_command(watchdog_control, 1),
                            end_command};
    expect_equal("state", vm.guest.execute(list)[1], GH_VCPU_STATE_EXPECTS_WAKEUP);
    expect_equal("bark behind bite", vm.guest.commands[2].a, GH_ERROR_ARG_INVAL);
    expect_equal("reserved bit clear", vm.guest.commands[3].a, GH_ERROR_ARG_INVAL);
    const std::uint64_t start = ticks();
    while (ticks() - start < ticks_of_ms(5)) {
    }
    expect_equal("state while frozen", vm.guest.run()[1], GH_VCPU_STATE_EXPECTS_WAKEUP);
    must("unfreeze", call(GH_WATCHDOG_MANAGE, vm.dog, GH_WATCHDOG_MANAGE_UNFREEZE));
    while (vm.guest.run()[1] != GH_VCPU_STATE_FAULT) {
        if (ticks() - start > ticks_of_ms(5000)) {
            fail("no bite after the thaw");
        }
    }
}

void no_watchdog_no_service() {
    Guest guest;
    const Command list[] = {smc_command(watchdog_ping), end_command};
    (void)guest.execute(list);
    expect_equal("result", guest.commands[0].a, ~std::uint64_t{0});
}

void system_suspend() {
    Guest guest;
    const std::uint64_t manager = make(Kind::vic);
    must("bind", call(GH_VPM_GROUP_BIND_VIRQ, guest.group, manager, 41));
    expect_error("bind twice", call(GH_VPM_GROUP_BIND_VIRQ, guest.group, manager, 42),
                 GH_ERROR_IRQ_BOUND);
    constexpr std::uint64_t distributor = 0x20000;
    constexpr std::uint32_t irq = 45;
    must("distributor",
         call(GH_ADDRSPACE_ATTACH_VDEVICE, guest.space, guest.vic, 0, distributor, 0x10000));
    const std::uint64_t bell = make(Kind::doorbell);
    must("doorbell", call(GH_DOORBELL_BIND_VIRQ, bell, guest.vic, irq));
    // It goes on at its program's start with the list behind the call.
    constexpr std::uint64_t rest = Guest::base + Guest::commands_offset + 3 * sizeof(Command);
    const Command list[] = {store_command(distributor, 0x12),
                            store_command(distributor + 0x104, 1u << (irq - 32)),
                            smc_command(0xc400000e, Guest::base, rest), smc_command(0x84000000),
                            end_command}; // WFI, with the interrupt pending and masked by PMR
    const Registers suspended = guest.execute(list);
    expect_equal("state", suspended[1], GH_VCPU_STATE_EXPECTS_WAKEUP);
    expect_equal("power state", suspended[2], 0x3010000);
    expect_equal("group", call(GH_VPM_GROUP_GET_STATE, guest.group)[1], 3);
    expect_equal("still asleep", guest.run()[2], 0x3010000);
    must("wake", call(GH_DOORBELL_SEND, bell, 1));
    expect_equal("group", call(GH_VPM_GROUP_GET_STATE, guest.group)[1], 1);
    const Registers woken = guest.run();
    expect_equal("state", woken[1], GH_VCPU_STATE_EXPECTS_WAKEUP);
    expect_equal("waits for an interrupt only", woken[2], 0);
    expect_equal("went on behind the call", guest.commands[3].a, 0x10001);
}

// Arm DEN0057: what the vCPU waits for a CPU is stolen, what it sleeps is not.
void stolen_time() {
    constexpr std::uint64_t structure = 0xf00; // offset in its page
    constexpr std::uint64_t distributor = 0x20000;
    constexpr std::uint32_t irq = 45;
    constexpr std::uint64_t hundred_ms = 100'000'000;
    constexpr std::uint64_t features = 0xc5000020;
    const auto wait = [] {
        const std::uint64_t start = ticks();
        while (ticks() - start < ticks_of_ms(100)) {
        }
    };
    Guest guest;
    must("distributor",
         call(GH_ADDRSPACE_ATTACH_VDEVICE, guest.space, guest.vic, 0, distributor, 0x10000));
    const std::uint64_t bell = make(Kind::doorbell);
    must("doorbell", call(GH_DOORBELL_BIND_VIRQ, bell, guest.vic, irq));
    must("address", call(GH_VCPU_REGISTER_WRITE, guest.vcpu, GH_VCPU_REGISTER_SET_EXT_PV_TIME, 0,
                         Guest::base + structure));
    const auto* stolen = reinterpret_cast<volatile std::uint64_t*>(guest.view + structure + 8);
    const Command list[] = {store_command(distributor, 0x12),
                            store_command(distributor + 0x104, 1u << (irq - 32)),
                            smc_command(0x80000001, features),
                            smc_command(features, features + 1),
                            smc_command(features, features + 2),
                            smc_command(features + 1),
                            end_command};
    expect_equal("state", guest.execute(list)[1], GH_VCPU_STATE_EXPECTS_WAKEUP);
    expect_equal("SMCCC_ARCH_FEATURES", guest.commands[2].a, 0);
    expect_equal("PV_TIME_FEATURES", guest.commands[3].a, 0);
    expect_equal("of an unknown call", guest.commands[4].a, ~std::uint64_t{0});
    expect_equal("PV_TIME_ST", guest.commands[5].a, Guest::base + structure);
    expect_equal("revision and attributes", stolen[-1], 0);
    const std::uint64_t before = *stolen;
    wait(); // it sleeps
    const std::uint64_t woken = ticks();
    must("wake", call(GH_DOORBELL_SEND, bell, 1));
    wait(); // it is ready
    (void)guest.run();
    const std::uint64_t most = (ticks() - woken + 1) * 1'000'000 / ticks_of_ms(1);
    const std::uint64_t grown = *stolen - before;
    if (grown < hundred_ms || grown > most) {
        fail("stolen time grew by {} ns, not by {} to {}", grown, hundred_ms, most);
    }
}

void no_stolen_time() {
    constexpr std::uint64_t features = 0xc5000020;
    Guest plain;
    const Command list[] = {smc_command(0x80000001, features), smc_command(features, features),
                            smc_command(features + 1), end_command};
    (void)plain.execute(list);
    for (unsigned i = 0; i < 3; ++i) {
        expect_equal("not configured", plain.commands[i].a, ~std::uint64_t{0});
    }
    Guest unmapped;
    must("address", call(GH_VCPU_REGISTER_WRITE, unmapped.vcpu, GH_VCPU_REGISTER_SET_EXT_PV_TIME, 0,
                         std::uint64_t{0x80000}));
    (void)unmapped.execute(list);
    expect_equal("no memory there", unmapped.commands[2].a, ~std::uint64_t{0});
}

void cpu_suspend() {
    Guest guest;
    const Command list[] = {smc_command(0xc4000001, 0x10), end_command};
    const Registers results = guest.execute(list);
    expect_equal("state", results[1], GH_VCPU_STATE_EXPECTS_WAKEUP);
    expect_equal("power state", results[2], 0x10);
    expect_equal("group", call(GH_VPM_GROUP_GET_STATE, guest.group)[1], 2);
}

void information_area() {
    const std::uint64_t space = make(Kind::addrspace, State::init);
    const std::uint64_t extent = make(Kind::memextent);
    must("configure", call(GH_ADDRSPACE_CONFIGURE, space, 0x77));
    must("area", call(GH_ADDRSPACE_CONFIGURE_INFO_AREA, space, extent, page_at));
    must("activate", call(GH_OBJECT_ACTIVATE, space));
    Guest guest(space);
    const Command list[] = {load_command(page_at), load_command(page_at + 24),
                            store_command(page_at, 5), end_command};
    (void)guest.execute(list);
    expect_equal("magic", guest.commands[0].a, GH_INFO_AREA_MAGIC);
    expect_equal("VMID", guest.commands[1].a, 0x77);
    gh_info_area area{};
    std::memcpy(&area, look_into(extent), sizeof(area));
    expect_equal("magic after the store", area.magic, GH_INFO_AREA_MAGIC);
}

void full_cspace() {
    const std::uint64_t small = make(Kind::cspace); // 16 slots
    const std::uint64_t bell = make(Kind::doorbell);
    for (unsigned i = 0; i < 16; ++i) {
        must("copy", call(GH_CSPACE_COPY_CAP_FROM, boot->cspace_cap, bell, small, 7));
    }
    expect_error("copy", call(GH_CSPACE_COPY_CAP_FROM, boot->cspace_cap, bell, small, 7),
                 GH_ERROR_CSPACE_FULL);
    expect_error("create", call(GH_PARTITION_CREATE_DOORBELL, boot->partition_cap, small),
                 GH_ERROR_CSPACE_FULL);
    must("revoke children", call(GH_CSPACE_REVOKE_CAPS_FROM, boot->cspace_cap, bell));
    expect_error("revoked slots are used",
                 call(GH_CSPACE_COPY_CAP_FROM, boot->cspace_cap, bell, small, 7),
                 GH_ERROR_CSPACE_FULL);
}

/// Every source: bound once; its interrupt has one source; unbinding twice is fine.
void bindings() {
    struct Source {
        Kind kind;
        unsigned bind, unbind;
        std::uint64_t flags;
    };
    constexpr Source sources[] = {
        {Kind::doorbell, GH_DOORBELL_BIND_VIRQ, GH_DOORBELL_UNBIND_VIRQ, 0},
        {Kind::msgqueue, GH_MSGQUEUE_BIND_SEND_VIRQ, GH_MSGQUEUE_UNBIND_SEND_VIRQ, 0},
        {Kind::msgqueue, GH_MSGQUEUE_BIND_RECEIVE_VIRQ, GH_MSGQUEUE_UNBIND_RECEIVE_VIRQ, 0},
        {Kind::hwirq, GH_HWIRQ_BIND_VIRQ, GH_HWIRQ_UNBIND_VIRQ, 0},
        {Kind::vpm_group, GH_VPM_GROUP_BIND_VIRQ, GH_VPM_GROUP_UNBIND_VIRQ, 0},
        {Kind::watchdog, GH_WATCHDOG_BIND_VIRQ, GH_WATCHDOG_UNBIND_VIRQ, 0},
        {Kind::watchdog, GH_WATCHDOG_BIND_VIRQ, GH_WATCHDOG_UNBIND_VIRQ, 1},
        {Kind::virtio, GH_VIRTIO_MMIO_BIND_BACKEND_VIRQ, GH_VIRTIO_MMIO_UNBIND_BACKEND_VIRQ, 0},
        {Kind::virtio, GH_VIRTIO_MMIO_BIND_FRONTEND_VIRQ, GH_VIRTIO_MMIO_UNBIND_FRONTEND_VIRQ, 0},
        {Kind::thread, GH_VCPU_BIND_VIRQ, GH_VCPU_UNBIND_VIRQ, 1},
        {Kind::thread, GH_VCPU_BIND_VIRQ, GH_VCPU_UNBIND_VIRQ, 0},
    };
    for (const Source& source : sources) {
        const std::uint64_t vic = make(Kind::vic);
        const std::uint64_t object = make(source.kind);
        must("bind", call(source.bind, object, vic, 40, source.flags));
        expect_error("bind twice", call(source.bind, object, vic, 41, source.flags),
                     GH_ERROR_IRQ_BOUND);
        const std::uint64_t bell = make(Kind::doorbell);
        expect_error("interrupt taken", call(GH_DOORBELL_BIND_VIRQ, bell, vic, 40), GH_ERROR_BUSY);
        must("unbind", call(source.unbind, object, source.flags));
        must("unbind again", call(source.unbind, object, source.flags));
        must("free again", call(GH_DOORBELL_BIND_VIRQ, bell, vic, 40));
        if (source.kind != Kind::hwirq) {
            expect_error("now the source", call(source.bind, object, vic, 40, source.flags),
                         GH_ERROR_BUSY);
        }
        clean_up();
    }
}

void random_numbers() {
    const Registers first = call(GH_PRNG_GET_ENTROPY, 32);
    const Registers second = call(GH_PRNG_GET_ENTROPY, 32);
    must("entropy", first);
    for (unsigned i = 1; i <= 4; ++i) {
        if (first[i] == second[i] || first[i] == first[i % 4 + 1]) {
            fail("numbers repeat");
        }
    }
    const Registers three = call(GH_PRNG_GET_ENTROPY, 3);
    expect_equal("beyond three bytes", (three[1] >> 24) | three[2] | three[3] | three[4], 0);
}

void trace() {
    expect_equal("flags", call(GH_TRACE_UPDATE_CLASS_FLAGS, ~std::uint64_t{0}, 0)[1], 7);
    expect_equal("flags", call(GH_TRACE_UPDATE_CLASS_FLAGS, 0, 6)[1], 1);
    expect_error("a call that fails", call(GH_DOORBELL_SEND, 0x1230000, 1),
                 GH_ERROR_CSPACE_CAP_NULL);
    std::uint64_t position = 0;
    bool found = false;
    for (;;) {
        const Registers record = call(GH_EXT_TRACE_READ, boot->partition_cap, 0, position);
        if (error_of(record) == GH_ERROR_IDLE) {
            break;
        }
        must("trace_read", record);
        found = found || (record[3] == GH_DOORBELL_SEND && record[4] == GH_ERROR_CSPACE_CAP_NULL);
        position = record[1] + 1;
    }
    expect_equal("flags", call(GH_TRACE_UPDATE_CLASS_FLAGS, 0, 1)[1], 0);
    if (!found) {
        fail("the failed call is not in the trace");
    }
}

void message_flow() {
    const std::uint64_t queue = make(Kind::msgqueue);
    static char text[16] = "0123456789abcde";
    const auto at = reinterpret_cast<std::uintptr_t>(text);
    for (unsigned i = 0; i < 4; ++i) {
        const Registers sent = call(GH_MSGQUEUE_SEND, queue, 16, at, 0);
        must("send", sent);
        expect_equal("not full", sent[1], i < 3 ? 1 : 0);
    }
    expect_error("full", call(GH_MSGQUEUE_SEND, queue, 16, at, 0), GH_ERROR_MSGQUEUE_FULL);
    expect_error("small buffer", call(GH_MSGQUEUE_RECEIVE, queue, at, 15), GH_ERROR_ADDR_OVFL);
    expect_error("no buffer", call(GH_MSGQUEUE_RECEIVE, queue, 0x1000, 240), GH_ERROR_ADDR_INVAL);
    const Registers received = call(GH_MSGQUEUE_RECEIVE, queue, at, 16);
    must("receive", received);
    expect_equal("size", received[1], 16);
    expect_equal("not empty", received[2], 1);
    must("flush", call(GH_MSGQUEUE_FLUSH, queue));
    expect_error("empty", call(GH_MSGQUEUE_RECEIVE, queue, at, 16), GH_ERROR_MSGQUEUE_EMPTY);
    must("no change", call(GH_MSGQUEUE_CONFIGURE_SEND, queue, unchanged, unchanged, unchanged));
}

/// A partition without memory can make nothing; with some, as much as fits; its end gives all back.
void nested_partition() {
    constexpr std::uint64_t size = 16 * page_size;
    const std::uint64_t ram = make(Kind::ram);
    const std::uint64_t offset = sparse_offset() + sparse_pages * page_size - size;
    const std::uint64_t child = make(Kind::partition, State::init);
    const std::uint64_t own = boot->cspace_cap;
    must("activate", call(GH_OBJECT_ACTIVATE, child));
    expect_error("poor", call(GH_PARTITION_CREATE_DOORBELL, child, own), GH_ERROR_NOMEM);
    must("to the root partition",
         call(GH_MEMEXTENT_DONATE, 1, ram, boot->partition_cap, offset, size));
    const std::uint64_t at = ram_base() + offset;
    expect_error("not the parent",
                 call(GH_MEMEXTENT_DONATE, 1, boot->partition_cap, child, at, size),
                 GH_ERROR_ARG_INVAL);
    must("to the child", call(GH_MEMEXTENT_DONATE, 0, boot->partition_cap, child, at, size));
    expect_error("gone", call(GH_MEMEXTENT_DONATE, 0, boot->partition_cap, child, at, size),
                 GH_ERROR_MEMDB_NOT_OWNER);

    const std::uint64_t space = make(Kind::cspace, State::init);
    must("cspace", call(GH_CSPACE_CONFIGURE, space, 1000));
    must("cspace", call(GH_OBJECT_ACTIVATE, space));
    const Registers extent = call(GH_PARTITION_CREATE_MEMEXTENT, child, own);
    must("extent", extent);
    adopt(extent[1]);
    must("configure", call(GH_MEMEXTENT_CONFIGURE, extent[1], at, page_size, 7));
    must("the extent takes its page", call(GH_OBJECT_ACTIVATE, extent[1]));
    unsigned made = 0;
    Registers last{};
    while (error_of(last = call(GH_PARTITION_CREATE_VIRTIO_MMIO, child, space)) == GH_ERROR_OK) {
        ++made;
    }
    expect_error("rich no more", last, GH_ERROR_NOMEM);
    if (made < 20 || made > 400) {
        fail("{} objects in 60 KiB", made);
    }
    expect_error(
        "memory is promised to objects",
        call(GH_MEMEXTENT_DONATE, 1, child, boot->partition_cap, at + page_size, size - page_size),
        GH_ERROR_NOMEM);
    clean_up(); // the child dies
    must("back", call(GH_MEMEXTENT_DONATE, 0, boot->partition_cap,
                      boot->ram[boot->ram_count - 1].extent_cap, offset, size));
}

constexpr Check flows[] = {
    {"identify", identify},
    {"unknown_calls", unknown_calls},
    {"bindings", bindings},
    {"message_flow", message_flow},
    {"full_cspace", full_cspace},
    {"nested_partition", nested_partition},
    {"random_numbers", random_numbers},
    {"trace", trace},
    {"information_area", information_area},
    {"watchdog_bites", watchdog_bites},
    {"watchdog_frozen", watchdog_frozen},
    {"no_watchdog_no_service", no_watchdog_no_service},
    {"system_suspend", system_suspend},
    {"stolen_time", stolen_time},
    {"no_stolen_time", no_stolen_time},
    {"cpu_suspend", cpu_suspend},
};

} // namespace

void run_all(const char* group, std::span<const Check> checks) {
    for (const Check& check : checks) {
        run(
            group, check.name, [](const void* which) { static_cast<const Check*>(which)->run(); },
            &check);
    }
}

void run_checks() {
    run_call_table();
    run_all("flow", flows);
    run_virtio_flows();
    if (boot->cpu_count > 1) {
        run_schedule_flows();
        run_migration_flows();
    }
}

} // namespace root
