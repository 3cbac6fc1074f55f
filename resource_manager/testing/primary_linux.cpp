// SPDX-License-Identifier: BSD-3-Clause
// Boot on the model, and the client side of the RPC protocol.
#include "testing/primary_linux.hpp"

#include "testing/board_tree.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rm::testing {

namespace {

constexpr std::uint64_t kernel_address = 0x4800'0000;

void require(bool ok, const char* what) {
    if (!ok) {
        std::fprintf(stderr, "PrimaryLinux: %s\n", what);
        std::abort();
    }
}

const std::vector<std::byte>& cached_board_tree() {
    static const std::vector<std::byte> tree = board_tree(2);
    return tree;
}

} // namespace

PrimaryLinux::PrimaryLinux() : tree(cached_board_tree()) {
    set_log_sink(&log);
    boot.magic = GH_RM_BOOT_MAGIC;
    boot.version = GH_RM_BOOT_VERSION;
    boot.cpu_count = 2;
    boot.cpu_mpidr[1] = 1;
    boot.partition_cap = model.partition.value;
    boot.cspace_cap = model.cspace.value;
    boot.addrspace_cap = model.addrspace.value;
    boot.vcpu_cap = model.vcpu.value;
    boot.vic_cap = model.vic.value;
    boot.device_extent_cap = model.device_extent.value;
    boot.ram_count = 2;
    boot.ram[0] = {{0x4000'0000, 0x4000'0000}, model.add_ram(0x4000'0000, 0x4000'0000).value};
    boot.ram[1] = {{0x8000'0000, 0x3c00'0000}, model.add_ram(0x8000'0000, 0x3c00'0000).value};
    for (int i = 0; i < 256; ++i) {
        hwirqs.push_back(i == 1 ? GH_CAPID_INVALID : model.add_hwirq().value);
    }
    std::array<std::byte, 64> header{};
    const std::uint32_t magic = 0x644d5241;
    const std::uint64_t image_size = 0x2000000;
    std::memcpy(&header[16], &image_size, 8);
    std::memcpy(&header[56], &magic, 4);
    model.write(kernel_address, header.data(), header.size());

    manager = std::make_unique<ResourceManager>(
        boot, ResourceManager::Machine{.hypervisor = model,
                                       .interrupts = interrupts,
                                       .window_ipa = ModelHypervisor::window_ipa,
                                       .window_size = ModelHypervisor::window_size,
                                       .window_view = model.window_view()});
    manager->boot(boot, hwirqs, tree.data());
    for (const auto& each : model.all(ObjectType::addrspace)) {
        space = each->vmid == GH_VMID_PRIMARY ? each : space;
    }
    require(space != nullptr, "there is no address space with VMID 3");
    // The queue on whose receive side RM listens carries requests.
    const auto rm_space = model.object(model.cspace);
    for (const auto& [id, slot] : rm_space->slots) {
        if (slot.object->type == GH_PARTITION_CREATE_MSGQUEUE) {
            const bool rm_receives = slot.object->bindings.at(12).first == model.object(model.vic);
            (rm_receives ? to_rm : from_rm) = CapId{id};
        }
    }
}

PrimaryLinux::~PrimaryLinux() {
    manager.reset();
    set_log_sink(nullptr);
}

bool PrimaryLinux::send(std::uint32_t id, std::uint16_t sequence, const Bytes& payload) {
    const std::size_t more = payload.empty() ? 0 : (payload.size() - 1) / 232;
    for (std::size_t i = 0; i <= more; ++i) {
        const std::size_t size = std::min<std::size_t>(232, payload.size() - i * 232);
        const auto type = static_cast<std::uint8_t>((i == 0 ? 1 : 0) | (more << 2));
        const Bytes header = wire(U8{0x21}, type, sequence, id);
        const auto first = payload.begin() + static_cast<long>(i * 232);
        bool sent = model.peer_send(to_rm, header + Bytes(first, first + static_cast<long>(size)));
        if (!sent && i != 0) {
            run();
            sent = model.peer_send(to_rm, header + Bytes(first, first + static_cast<long>(size)));
        }
        if (!sent) {
            return false;
        }
    }
    return true;
}

void PrimaryLinux::run() {
    while (!model.raised.empty()) {
        const auto now = std::exchange(model.raised, {});
        for (const std::uint32_t intid : now) {
            require(interrupts.enabled.test(intid), "an interrupt that RM did not enable");
            manager->on_interrupt(intid);
        }
        manager->work();
    }
}

void PrimaryLinux::receive_one(const Bytes& message) {
    Reader reader(message);
    require(reader.u8() == 0x21, "API byte");
    const std::uint8_t kind = reader.u8();
    const std::uint16_t sequence = reader.u16();
    const std::uint32_t id = reader.u32();
    const Bytes payload(message.begin() + 8, message.end());
    if ((kind & 3) == 0) {
        require(incoming_.missing > 0 && incoming_.id == id && incoming_.sequence == sequence,
                "continuation");
        --incoming_.missing;
        incoming_.content = incoming_.content + payload;
    } else {
        require(incoming_.missing == 0, "a message inside another");
        incoming_ = {.type = static_cast<std::uint8_t>(kind & 3),
                     .sequence = sequence,
                     .id = id,
                     .missing = static_cast<unsigned>(kind >> 2),
                     .content = payload};
    }
    if (incoming_.missing != 0) {
        return;
    }
    if (incoming_.type == GH_RM_RPC_REPLY) {
        Reader content(incoming_.content);
        Reply reply{.error = content.u32(), .payload = {}};
        reply.payload.assign(incoming_.content.begin() + 4, incoming_.content.end());
        replies[incoming_.sequence] = reply;
        answered.emplace_back(incoming_.sequence, incoming_.id);
    } else {
        require(incoming_.type == GH_RM_RPC_NOTIFICATION, "type");
        notifications.push_back({incoming_.id, incoming_.content});
    }
}

void PrimaryLinux::receive() {
    while (const auto message = model.peer_receive(from_rm)) {
        receive_one(*message);
        run();
    }
}

Reply PrimaryLinux::call(std::uint32_t id, const Bytes& payload) {
    const std::uint16_t sequence = sequence_++;
    require(send(id, sequence, payload), "RM's queue is full");
    run();
    receive();
    require(replies.contains(sequence), "no reply");
    Reply reply = replies[sequence];
    replies.erase(sequence);
    return reply;
}

std::uint16_t PrimaryLinux::alloc() {
    const Reply reply = call(GH_RM_VM_ALLOC_VMID, wire(U16{0}, U16{0}));
    require(reply.error == 0 && reply.payload.size() == 4, "VM_ALLOC_VMID");
    return Reader(reply.payload).u16();
}

std::uint32_t PrimaryLinux::share(std::uint16_t vmid, std::uint64_t ipa, std::uint64_t size) {
    const Reply reply =
        call(GH_RM_MEM_SHARE, wire(U32{0}, U32{0}, U32{2}, vmid, U8{7}, U8{0}, U16{3}, U8{7}, U8{0},
                                   U16{1}, U16{0}, ipa, size, U32{0}));
    require(reply.error == 0 && reply.payload.size() == 4, "MEM_SHARE");
    return Reader(reply.payload).u32();
}

Reply PrimaryLinux::config_image(std::uint16_t vmid, std::uint32_t parcel, std::uint64_t dtb_offset,
                                 std::uint64_t dtb_size) {
    return call(GH_RM_VM_CONFIG_IMAGE,
                wire(vmid, U16{0}, parcel, U64{0}, U64{0}, dtb_offset, dtb_size));
}

void PrimaryLinux::place_guest(std::uint64_t ipa, std::uint64_t dtb_offset,
                               const GuestTreeOptions& options) {
    dt::Editor editor = guest_tree(options);
    const auto packed = editor.packed();
    require(!packed.empty(), "the guest's tree");
    model.write(ipa + dtb_offset, packed.data(), packed.size());
    model.write(ipa, "guest code", 11);
}

std::shared_ptr<Object> PrimaryLinux::guest_vcpu(std::uint16_t vmid, unsigned index) {
    for (const auto& thread : model.all(ObjectType::thread)) {
        if (thread->thread_addrspace && thread->thread_addrspace->vmid == vmid &&
            thread->index == index) {
            return thread;
        }
    }
    return nullptr;
}

void PrimaryLinux::halt_vcpu(std::uint16_t vmid, unsigned index, const VcpuState& state) {
    const auto vcpu = guest_vcpu(vmid, index);
    require(vcpu != nullptr, "no such vCPU");
    vcpu->halted = true;
    vcpu->halt = state;
    model.raised.insert(vcpu->bindings.at(GH_VCPU_VIRQ_HALT).second);
}

std::map<std::string, std::uint64_t> PrimaryLinux::counters() {
    const Reply reply = call(GH_RM_GET_COUNTERS, {});
    require(reply.error == 0, "GET_COUNTERS");
    std::map<std::string, std::uint64_t> result;
    Reader reader(reply.payload);
    for (std::uint32_t left = reader.u32(); left != 0; --left) {
        std::string name;
        for (unsigned i = 0; i < GH_RM_COUNTER_NAME_SIZE; ++i) {
            name.push_back(static_cast<char>(reader.u8()));
        }
        result[name.c_str()] = reader.u64();
    }
    require(reader.finished(), "GET_COUNTERS' layout");
    return result;
}

} // namespace rm::testing
