// SPDX-License-Identifier: BSD-3-Clause
// Argument order of each hypercall, as the public API document lists it (from x0).
#include "calls/hypervisor.hpp"

#include <algorithm>

#include <cstring>

namespace rm {

namespace {

// "Reserved — Must be -1" in some calls.
constexpr std::uint64_t reserved_minus_one = ~std::uint64_t{0};

std::uint64_t virtual_address(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

} // namespace

rt::Result<std::array<std::uint64_t, 4>> Hypervisor::call_for_values(unsigned number,
                                                                     const Arguments& arguments) {
    const Outcome outcome = hypercall(number, arguments);
    if (outcome.error != GH_ERROR_OK) {
        return rt::fail(static_cast<rt::Error>(static_cast<std::int32_t>(outcome.error)));
    }
    return outcome.x;
}

rt::Result<> Hypervisor::call(unsigned number, const Arguments& arguments) {
    const auto values = call_for_values(number, arguments);
    return values ? rt::Result<>{} : rt::fail(values.error());
}

rt::Result<CapId> Hypervisor::create(ObjectType type, CapId partition, CapId cspace) {
    const auto values =
        call_for_values(static_cast<unsigned>(type), {partition.value, cspace.value});
    if (!values) {
        return rt::fail(values.error());
    }
    return CapId{(*values)[0]};
}

rt::Result<> Hypervisor::activate(CapId object) {
    return call(GH_OBJECT_ACTIVATE, {object.value});
}

rt::Result<> Hypervisor::cspace_configure(CapId cspace, std::uint64_t max_caps) {
    return call(GH_CSPACE_CONFIGURE, {cspace.value, max_caps});
}

rt::Result<> Hypervisor::cspace_attach_thread(CapId cspace, CapId thread) {
    return call(GH_CSPACE_ATTACH_THREAD, {cspace.value, thread.value});
}

rt::Result<CapId> Hypervisor::copy_cap(CapId from_cspace, CapId cap, CapId to_cspace,
                                       std::uint32_t rights) {
    const auto values = call_for_values(GH_CSPACE_COPY_CAP_FROM,
                                        {from_cspace.value, cap.value, to_cspace.value, rights});
    if (!values) {
        return rt::fail(values.error());
    }
    return CapId{(*values)[0]};
}

rt::Result<> Hypervisor::delete_cap(CapId cspace, CapId cap) {
    return call(GH_CSPACE_DELETE_CAP_FROM, {cspace.value, cap.value});
}

rt::Result<> Hypervisor::addrspace_configure(CapId addrspace, std::uint16_t vmid) {
    return call(GH_ADDRSPACE_CONFIGURE, {addrspace.value, vmid});
}

rt::Result<> Hypervisor::addrspace_attach_thread(CapId addrspace, CapId thread) {
    return call(GH_ADDRSPACE_ATTACH_THREAD, {addrspace.value, thread.value});
}

rt::Result<> Hypervisor::addrspace_attach_vdevice(CapId addrspace, CapId device, unsigned index,
                                                  std::uint64_t ipa, std::uint64_t size) {
    return call(GH_ADDRSPACE_ATTACH_VDEVICE, {addrspace.value, device.value, index, ipa, size});
}

rt::Result<> Hypervisor::addrspace_add_vmmio(CapId addrspace, std::uint64_t ipa,
                                             std::uint64_t size) {
    return call(GH_ADDRSPACE_CONFIGURE_VMMIO, {addrspace.value, ipa, size, GH_VMMIO_ADD_RANGE});
}

rt::Result<> Hypervisor::map_piece(CapId addrspace, const ExtentPiece& piece, std::uint64_t ipa,
                                   std::uint64_t attributes) {
    return call(GH_ADDRSPACE_MAP, {addrspace.value, piece.extent.value, ipa, attributes,
                                   GH_MAP_FLAG_PARTIAL, piece.offset, piece.size});
}

rt::Result<> Hypervisor::unmap_piece(CapId addrspace, const ExtentPiece& piece, std::uint64_t ipa) {
    return call(GH_ADDRSPACE_UNMAP, {addrspace.value, piece.extent.value, ipa, GH_MAP_FLAG_PARTIAL,
                                     piece.offset, piece.size});
}

rt::Result<> Hypervisor::map_whole(CapId addrspace, CapId extent, std::uint64_t ipa,
                                   std::uint64_t attributes) {
    return call(GH_ADDRSPACE_MAP, {addrspace.value, extent.value, ipa, attributes});
}

rt::Result<> Hypervisor::memextent_derive(CapId extent, CapId parent, std::uint64_t offset,
                                          std::uint64_t size, std::uint64_t attributes) {
    return call(GH_MEMEXTENT_CONFIGURE_DERIVE,
                {extent.value, parent.value, offset, size, attributes});
}

rt::Result<> Hypervisor::donate_to_child(const ExtentPiece& from, CapId child) {
    return call(GH_MEMEXTENT_DONATE, {GH_MEMEXTENT_DONATE_TO_CHILD, from.extent.value, child.value,
                                      from.offset, from.size});
}

rt::Result<> Hypervisor::donate_to_parent(const ExtentPiece& from, CapId parent) {
    return call(GH_MEMEXTENT_DONATE, {GH_MEMEXTENT_DONATE_TO_PARENT, from.extent.value,
                                      parent.value, from.offset, from.size});
}

rt::Result<> Hypervisor::unmap_everywhere(CapId extent) {
    return call(GH_MEMEXTENT_MODIFY, {extent.value, GH_MEMEXTENT_MODIFY_UNMAP_ALL});
}

/// The hypervisor masks interrupts during a call: long ones are split.
rt::Result<> Hypervisor::modify_range(std::uint64_t operation, ExtentPiece piece) {
    constexpr std::uint64_t at_once = 4U << 20;
    rt::Result<> done;
    while (done && piece.size != 0) {
        const std::uint64_t size = std::min(piece.size, at_once);
        done =
            call(GH_MEMEXTENT_MODIFY,
                 {piece.extent.value, operation | GH_MEMEXTENT_MODIFY_NOSYNC, piece.offset, size});
        piece.offset += size;
        piece.size -= size;
    }
    return done;
}

rt::Result<> Hypervisor::zero(const ExtentPiece& piece) {
    return modify_range(GH_MEMEXTENT_MODIFY_ZERO_RANGE, piece);
}

rt::Result<> Hypervisor::clean_cache(const ExtentPiece& piece) {
    return modify_range(GH_MEMEXTENT_MODIFY_CACHE_CLEAN_RANGE, piece);
}

rt::Result<> Hypervisor::vic_configure(CapId vic, unsigned max_vcpus, unsigned max_shared_virqs) {
    return call(GH_VIC_CONFIGURE, {vic.value, max_vcpus, max_shared_virqs});
}

rt::Result<> Hypervisor::vic_attach_vcpu(CapId vic, CapId vcpu, unsigned index) {
    return call(GH_VIC_ATTACH_VCPU, {vic.value, vcpu.value, index});
}

rt::Result<> Hypervisor::vpm_group_attach_vcpu(CapId group, CapId vcpu, unsigned index) {
    return call(GH_VPM_GROUP_ATTACH_VCPU, {group.value, vcpu.value, index});
}

rt::Result<> Hypervisor::hwirq_bind(CapId hwirq, CapId vic, std::uint32_t virq) {
    return call(GH_HWIRQ_BIND_VIRQ, {hwirq.value, vic.value, virq});
}

rt::Result<> Hypervisor::vcpu_configure(CapId vcpu, std::uint64_t options) {
    return call(GH_VCPU_CONFIGURE, {vcpu.value, options});
}

rt::Result<> Hypervisor::vcpu_set_stolen_time(CapId vcpu, std::uint64_t ipa) {
    return call(GH_VCPU_REGISTER_WRITE, {vcpu.value, GH_VCPU_REGISTER_SET_EXT_PV_TIME, 0, ipa});
}

rt::Result<> Hypervisor::vcpu_set_affinity(CapId vcpu, unsigned cpu) {
    const std::uint64_t index = cpu == any_cpu ? GH_CPU_INDEX_ANY : cpu;
    return call(GH_VCPU_SET_AFFINITY, {vcpu.value, index, reserved_minus_one});
}

rt::Result<> Hypervisor::vcpu_set_priority(CapId vcpu, unsigned priority) {
    return call(GH_VCPU_SET_PRIORITY, {vcpu.value, priority});
}

rt::Result<> Hypervisor::vcpu_set_timeslice(CapId vcpu, std::uint64_t nanoseconds) {
    return call(GH_VCPU_SET_TIMESLICE, {vcpu.value, nanoseconds});
}

rt::Result<> Hypervisor::vcpu_bind_virq(CapId vcpu, CapId vic, std::uint32_t virq, unsigned type) {
    return call(GH_VCPU_BIND_VIRQ, {vcpu.value, vic.value, virq, type});
}

rt::Result<> Hypervisor::vcpu_unbind_virq(CapId vcpu, unsigned type) {
    return call(GH_VCPU_UNBIND_VIRQ, {vcpu.value, type});
}

rt::Result<> Hypervisor::vcpu_poweron(CapId vcpu, std::uint64_t entry, std::uint64_t context) {
    return call(GH_VCPU_POWERON, {vcpu.value, entry, context});
}

rt::Result<> Hypervisor::vcpu_kill(CapId vcpu) {
    return call(GH_VCPU_KILL, {vcpu.value});
}

rt::Result<VcpuState> Hypervisor::vcpu_run_check(CapId vcpu) {
    const auto values = call_for_values(GH_VCPU_RUN_CHECK, {vcpu.value});
    if (!values) {
        return rt::fail(values.error());
    }
    return VcpuState{.state = (*values)[0], .data = {(*values)[1], (*values)[2], (*values)[3]}};
}

rt::Result<> Hypervisor::doorbell_bind(CapId doorbell, CapId vic, std::uint32_t virq) {
    return call(GH_DOORBELL_BIND_VIRQ, {doorbell.value, vic.value, virq});
}

rt::Result<> Hypervisor::watchdog_attach_vcpu(CapId watchdog, CapId vcpu) {
    return call(GH_WATCHDOG_ATTACH_VCPU, {watchdog.value, vcpu.value});
}

rt::Result<> Hypervisor::watchdog_bind_bark(CapId watchdog, CapId vic, std::uint32_t virq) {
    return call(GH_WATCHDOG_BIND_VIRQ, {watchdog.value, vic.value, virq});
}

rt::Result<> Hypervisor::msgqueue_configure(CapId queue, unsigned depth, unsigned message_size) {
    return call(GH_MSGQUEUE_CONFIGURE, {queue.value, depth | (std::uint64_t{message_size} << 16)});
}

rt::Result<> Hypervisor::msgqueue_bind_send(CapId queue, CapId vic, std::uint32_t virq) {
    return call(GH_MSGQUEUE_BIND_SEND_VIRQ, {queue.value, vic.value, virq});
}

rt::Result<> Hypervisor::msgqueue_bind_receive(CapId queue, CapId vic, std::uint32_t virq) {
    return call(GH_MSGQUEUE_BIND_RECEIVE_VIRQ, {queue.value, vic.value, virq});
}

rt::Result<> Hypervisor::msgqueue_send(CapId queue, std::span<const std::byte> message, bool push) {
    return call(GH_MSGQUEUE_SEND, {queue.value, message.size(), virtual_address(message.data()),
                                   push ? std::uint64_t{GH_MSGQUEUE_SEND_PUSH} : std::uint64_t{0}});
}

rt::Result<ReceivedMessage> Hypervisor::msgqueue_receive(CapId queue, std::span<std::byte> buffer) {
    const auto values = call_for_values(
        GH_MSGQUEUE_RECEIVE, {queue.value, virtual_address(buffer.data()), buffer.size()});
    if (!values) {
        return rt::fail(values.error());
    }
    return ReceivedMessage{.size = std::min<std::size_t>((*values)[0], buffer.size()),
                           .more = (*values)[1] != 0};
}

rt::Result<std::array<std::uint64_t, 4>> Hypervisor::entropy(unsigned bytes) {
    return call_for_values(GH_PRNG_GET_ENTROPY, {bytes});
}

rt::Result<std::uint64_t> Hypervisor::query_counter(CapId partition, unsigned index) {
    const auto values = call_for_values(GH_EXT_QUERY_COUNTER, {partition.value, index});
    if (!values) {
        return rt::fail(values.error());
    }
    return (*values)[0];
}

rt::Result<> Hypervisor::console_write(CapId partition, std::span<const char> text) {
    Arguments arguments{partition.value, text.size()};
    std::memcpy(&arguments[2], text.data(), text.size() < 32 ? text.size() : 32);
    return call(GH_EXT_CONSOLE_WRITE, arguments);
}

} // namespace rm
