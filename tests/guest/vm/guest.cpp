// SPDX-License-Identifier: BSD-3-Clause
// Creates, runs and removes the VM.
#include "vm/guest.hpp"

#include "machine/clock.hpp"
#include "machine/interrupts.hpp"
#include "machine/page_tables.hpp"

#include <algorithm>
#include <string_view>

extern "C" const std::byte guest_program_start[];
extern "C" const std::byte guest_program_end[];

namespace test {

namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t pages = guest_ram_size / page_size;

struct alignas(page_size) Arena {
    std::array<std::byte, guest_ram_size> bytes;
};
constinit Arena arena{};

constinit Guest the_guest(arena.bytes);
constinit std::array<std::byte, guest_dtb_size> tree{};

constexpr std::uint64_t permissions_rwx = 7;

} // namespace

Guest& guest() {
    return the_guest;
}

void Guest::use(std::span<const std::byte> program, const char* affinity,
                std::span<const std::uint32_t> affinity_map, const char* feature) {
    program_ = program;
    options_.feature = feature;
    options_.affinity = affinity;
    options_.affinity_map = affinity_map;
}

std::byte* Guest::memory(std::uint64_t offset) {
    const std::uint64_t page = offset / page_size;
    const std::uint64_t ours = layout_ == MemoryLayout::contiguous ? page : pages - 1 - page;
    return &arena_[ours * page_size + offset % page_size];
}

void Guest::write_memory(std::uint64_t offset, std::span<const std::byte> data) {
    while (!data.empty()) {
        const std::size_t size = std::min<std::size_t>(data.size(), page_size - offset % page_size);
        std::copy_n(data.begin(), size, memory(offset));
        offset += size;
        data = data.subspan(size);
    }
}

void Guest::clean_memory() {
    clean_invalidate(arena_.data(), arena_.size());
}

std::span<const std::byte> Guest::vmid_payload() {
    request_.clear();
    return request_.u16(vmid_).u16(0).bytes();
}

void Guest::begin() {
    rpc().begin();
    if (vmid_ == 0 && !has_parcel_) {
        return;
    }
    // Whatever state it is in: each step either works or was not needed.
    request_.clear();
    (void)rpc().call(GH_RM_VM_STOP,
                     request_.u16(vmid_).u8(GH_RM_VM_STOP_FORCE).u8(0).u32(3).bytes());
    if (rpc().call(GH_RM_VM_RESET, vmid_payload()).error == GH_RM_ERROR_OK) {
        (void)rpc().wait_for_notification(GH_RM_NOTIF_VM_STATUS);
    }
    if (has_parcel_) {
        request_.clear();
        (void)rpc().call(GH_RM_MEM_RECLAIM, request_.u32(parcel_).u32(0).bytes());
        has_parcel_ = false;
    }
    (void)rpc().call(GH_RM_VM_DEALLOC_VMID, vmid_payload());
    vmid_ = 0;
    rpc().begin();
}

void Guest::allocate() {
    request_.clear();
    PayloadReader reply = rpc().must(GH_RM_VM_ALLOC_VMID, request_.u16(0).u16(0).bytes());
    vmid_ = reply.u16();
    expect(vmid_ >= GH_VMID_FIRST_DYNAMIC, "a dynamic VMID is 0x80 or more");
    expect_equal("reserved half of the reply", reply.u16(), 0);
    expect(reply.finished(), "the reply to VM_ALLOC_VMID has four bytes");
}

void Guest::fill_memory(const GuestTreeOptions& options) {
    std::ranges::fill(arena_, std::byte{0});
    write_memory(0,
                 program_.empty() ? std::span(guest_program_start, guest_program_end) : program_);
    build_guest_tree(tree, options);
    write_memory(guest_dtb, tree);
    clean_memory();
}

void Guest::transfer(MemoryLayout layout, MemoryTransfer kind) {
    request_.clear();
    request_.u8(GH_RM_MEM_TYPE_NORMAL).u8(0).u8(0).u8(0).u32(0); // type, flags, label
    const bool share = kind == MemoryTransfer::share;
    request_.u32(share ? 2 : 1);
    request_.u16(vmid_).u8(permissions_rwx).u8(0);
    if (share) {
        request_.u16(GH_VMID_PRIMARY).u8(permissions_rwx).u8(0);
    }
    const std::uint64_t step = layout == MemoryLayout::contiguous ? guest_ram_size : page_size;
    request_.u16(static_cast<std::uint16_t>(guest_ram_size / step)).u16(0);
    for (std::uint64_t offset = 0; offset < guest_ram_size; offset += step) {
        request_.u64(reinterpret_cast<std::uint64_t>(memory(offset))).u64(step);
    }
    request_.u32(0); // no attributes
    PayloadReader reply =
        rpc().must(share ? GH_RM_MEM_SHARE : GH_RM_MEM_LEND, request_.bytes(), 10'000);
    parcel_ = reply.u32();
    expect(reply.finished(), "the reply to MEM_SHARE has four bytes");
    has_parcel_ = true;
}

void Guest::configure_image() {
    request_.clear();
    request_.u16(vmid_).u16(GH_RM_AUTH_NONE).u32(parcel_).u64(0).u64(0);
    request_.u64(guest_dtb).u64(guest_dtb_size);
    expect(rpc().must(GH_RM_VM_CONFIG_IMAGE, request_.bytes()).finished(),
           "the reply to VM_CONFIG_IMAGE is empty");
}

void Guest::initialise() {
    expect(rpc().must(GH_RM_VM_INIT, vmid_payload(), 10'000).finished(),
           "the reply to VM_INIT is empty");
}

void Guest::read_resource(PayloadReader& entry) {
    const std::uint8_t type = entry.u8();
    expect_equal("reserved byte of a resource", entry.u8(), 0);
    const std::uint16_t partner = entry.u16();
    (void)entry.u32(); // handle
    const std::uint32_t label = entry.u32();
    const std::uint64_t cap = entry.u64();
    (void)entry.u32(); // virq handle
    const std::uint32_t virq = entry.u32();
    (void)entry.u64(); // base
    (void)entry.u64(); // size
    expect_equal("partner of a resource", partner, vmid_);
    if (type == GH_RM_RESOURCE_VCPU) {
        expect(label < guest_cpus, "a vCPU's label is its index");
        expect(virq >= 32 && virq <= 1019, "a vCPU has a wake-up SPI");
        vcpu_cap_[label] = cap;
        wakeup_irq_[label] = virq;
    } else if (type == GH_RM_RESOURCE_BELL_TX) {
        expect_equal("label of the doorbell", label, guest_bell_label);
        bell_cap_ = cap;
    } else {
        fail("a resource of type {}", type);
    }
}

void Guest::read_resources() {
    PayloadReader reply = rpc().must(GH_RM_VM_GET_HYP_RESOURCES, vmid_payload());
    const std::uint32_t count = reply.u32();
    const bool proxy = std::string_view(options_.affinity) == "proxy";
    expect_equal("number of resources", count, (proxy ? guest_cpus : 0) + 1);
    vcpu_cap_ = {};
    bell_cap_ = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        read_resource(reply);
    }
    expect(reply.finished(), "the list of resources ends where its number says");
    expect(bell_cap_ != 0, "there is a doorbell");
    if (!proxy) {
        return;
    }
    expect(vcpu_cap_[0] != 0 && vcpu_cap_[1] != 0, "there are two vCPUs");
    expect(wakeup_irq_[0] != wakeup_irq_[1], "each vCPU has its own wake-up interrupt");
    for (const std::uint32_t irq : wakeup_irq_) {
        allow_interrupt(irq);
    }
}

void Guest::start() {
    expect(rpc().must(GH_RM_VM_START, vmid_payload(), 10'000).finished(),
           "the reply to VM_START is empty");
}

void Guest::create(MemoryLayout layout, MemoryTransfer kind) {
    layout_ = layout;
    begin();
    allocate();
    fill_memory(options_);
    transfer(layout, kind);
    configure_image();
    initialise();
    read_resources();
    start();
}

void Guest::create_and_boot(MemoryLayout layout, MemoryTransfer kind) {
    create(layout, kind);
    run_to_signal(0);
}

HypercallResult Guest::run_once(unsigned vcpu, std::uint64_t resume) {
    return hypercall(GH_VCPU_RUN, vcpu_cap_[vcpu], resume);
}

VcpuExit Guest::run(unsigned vcpu, std::uint64_t resume, std::uint64_t ms) {
    const Deadline deadline = Deadline::after_ms(ms);
    while (!deadline.passed()) {
        const HypercallResult result = run_once(vcpu, resume);
        if (result.error != GH_ERROR_OK) {
            fail("vcpu_run of vCPU {}: error {}", vcpu, result.error);
        }
        if (result.x1 != GH_VCPU_STATE_READY && result.x1 != GH_VCPU_STATE_BLOCKED) {
            return {result.x1, {result.x2, result.x3, result.x4}};
        }
    }
    fail("vCPU {} only ran, for {} ms", vcpu, ms);
}

void Guest::run_to_signal(unsigned vcpu, std::uint64_t resume) {
    const VcpuExit exit = run(vcpu, resume);
    const std::uint64_t signal = guest_signal + vcpu * guest_signal_stride;
    const bool signalled = exit.state == GH_VCPU_STATE_VMMIO_WRITE && exit.data[0] == signal;
    if (!signalled) {
        fail("vCPU {} exits with state {x}, data {x} {x} {x} instead of its signal", vcpu,
             exit.state, exit.data[0], exit.data[1], exit.data[2]);
    }
    expect_equal("size of the signal", exit.data[1], 8);
}

Mailbox& Guest::mailbox(unsigned vcpu) {
    auto* page = memory(guest_mailboxes + vcpu * page_size);
    clean_invalidate(page, sizeof(Mailbox));
    return *reinterpret_cast<Mailbox*>(page);
}

void Guest::prepare(unsigned vcpu, Operation operation,
                    std::initializer_list<std::uint64_t> arguments) {
    Mailbox& box = mailbox(vcpu);
    box.operation = static_cast<std::uint64_t>(operation);
    std::fill(std::begin(box.argument), std::end(box.argument), 0);
    std::copy(arguments.begin(), arguments.end(), std::begin(box.argument));
    box.stop = 0;
    clean_invalidate(&box, sizeof box);
}

Mailbox& Guest::execute(unsigned vcpu, Operation operation,
                        std::initializer_list<std::uint64_t> arguments) {
    prepare(vcpu, operation, arguments);
    run_to_signal(vcpu);
    return mailbox(vcpu);
}

void Guest::ring(std::uint64_t flags) {
    const HypercallResult result = hypercall(GH_DOORBELL_SEND, bell_cap_, flags);
    if (result.error != GH_ERROR_OK) {
        fail("doorbell_send: error {}", result.error);
    }
}

std::uint64_t Guest::ring_and_tell() {
    const HypercallResult result = hypercall(GH_EXT_DOORBELL_RING, bell_cap_, 1);
    expect_equal("doorbell_ring", static_cast<std::uint64_t>(result.error), GH_ERROR_OK);
    return result.x2;
}

void Guest::stop() {
    request_.clear();
    request_.u16(vmid_).u8(GH_RM_VM_STOP_FORCE).u8(0).u32(3);
    expect(rpc().must(GH_RM_VM_STOP, request_.bytes()).finished(), "the reply to VM_STOP is empty");
}

void Guest::reset() {
    expect(rpc().must(GH_RM_VM_RESET, vmid_payload(), 10'000).finished(),
           "the reply to VM_RESET is empty");
    const RpcNotification status = rpc().wait_for_notification(GH_RM_NOTIF_VM_STATUS, 10'000);
    PayloadReader reader(status.bytes());
    expect_equal("VMID in VM_STATUS", reader.u16(), vmid_);
    expect_equal("reserved half of VM_STATUS", reader.u16(), 0);
    expect_equal("status in VM_STATUS", reader.u8(), GH_RM_VM_STATUS_RESET);
}

void Guest::reclaim() {
    request_.clear();
    expect(rpc().must(GH_RM_MEM_RECLAIM, request_.u32(parcel_).u32(0).bytes(), 10'000).finished(),
           "the reply to MEM_RECLAIM is empty");
    has_parcel_ = false;
}

void Guest::deallocate() {
    expect(rpc().must(GH_RM_VM_DEALLOC_VMID, vmid_payload()).finished(),
           "the reply to VM_DEALLOC_VMID is empty");
    vmid_ = 0;
}

void Guest::expect_exited(unsigned exit_type) {
    const RpcNotification exited = rpc().wait_for_notification(GH_RM_NOTIF_VM_EXITED);
    PayloadReader reader(exited.bytes());
    expect_equal("VMID in VM_EXITED", reader.u16(), vmid_);
    expect_equal("exit type in VM_EXITED", reader.u16(), exit_type);
    const std::uint32_t reason_size = reader.u32();
    expect(reason_size <= exited.size - 8, "the reason in VM_EXITED is as long as it says");
}

void Guest::tear_down() {
    reset();
    reclaim();
    deallocate();
}

void Guest::create_with(const char* feature) {
    begin();
    allocate();
    fill_memory({.base_address = guest_ram_base, .cpus = guest_cpus, .feature = feature});
    transfer(MemoryLayout::scattered, MemoryTransfer::share);
    configure_image();
    initialise();
    read_resources();
    start();
    run_to_signal(0);
}

void Guest::finish() {
    stop();
    expect_exited(GH_RM_EXIT_STOP_FORCED);
    tear_down();
}

void expect_state(const VcpuExit& exit, std::uint64_t state) {
    if (exit.state != state) {
        fail("vcpu_run state {x} (data {x} {x} {x}), expected {x}", exit.state, exit.data[0],
             exit.data[1], exit.data[2], state);
    }
}

} // namespace test
