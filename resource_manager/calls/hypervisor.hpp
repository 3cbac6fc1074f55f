// SPDX-License-Identifier: BSD-3-Clause
// The hypercalls that RM makes, typed. One virtual function does the call, so that host tests can
// put a model of the hypervisor behind it.
#pragma once

#include <abi/hypercall.h>
#include <abi/rights.h>
#include <runtime/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rm {

/// A capability ID in some capability space; meaningless in any other.
struct CapId {
    std::uint64_t value = GH_CAPID_INVALID;
    constexpr bool operator==(const CapId&) const = default;
    [[nodiscard]] constexpr bool valid() const { return value != GH_CAPID_INVALID; }
};

/// Objects RM creates; the value is the number of the creating hypercall.
enum class ObjectType : unsigned {
    cspace = GH_PARTITION_CREATE_CSPACE,
    addrspace = GH_PARTITION_CREATE_ADDRSPACE,
    memextent = GH_PARTITION_CREATE_MEMEXTENT,
    thread = GH_PARTITION_CREATE_THREAD,
    doorbell = GH_PARTITION_CREATE_DOORBELL,
    msgqueue = GH_PARTITION_CREATE_MSGQUEUE,
    vic = GH_PARTITION_CREATE_VIC,
    vpm_group = GH_PARTITION_CREATE_VPM_GROUP,
    watchdog = GH_PARTITION_CREATE_WATCHDOG,
};

struct ReceivedMessage {
    std::size_t size; // bytes
    bool more;        // another one waits
};

/// Part of a memory extent, in bytes from the extent's base; page aligned.
struct ExtentPiece {
    CapId extent;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};

/// Attributes of a stage-2 mapping: the same access for EL0 and EL1 (GH_ACCESS_*), and the type.
constexpr std::uint64_t map_attributes(unsigned access, unsigned memory_type) {
    return (std::uint64_t{access} << GH_MAP_ATTR_USER_SHIFT) |
           (std::uint64_t{access} << GH_MAP_ATTR_KERNEL_SHIFT) |
           (std::uint64_t{memory_type} << GH_MAP_ATTR_MEMTYPE_SHIFT);
}

constexpr std::uint64_t extent_attributes(unsigned access, unsigned memory_type, unsigned type) {
    return (std::uint64_t{access} << GH_MEMEXTENT_ATTR_ACCESS_SHIFT) |
           (std::uint64_t{memory_type} << GH_MEMEXTENT_ATTR_MEMTYPE_SHIFT) |
           (std::uint64_t{type} << GH_MEMEXTENT_ATTR_TYPE_SHIFT);
}

/// State of a vCPU as vcpu_run_check reports it (GH_VCPU_STATE_*).
struct VcpuState {
    std::uint64_t state;
    std::array<std::uint64_t, 3> data;
};

/// Each function is one hypercall of the public API document; errors are the call's own.
class Hypervisor {
public:
    virtual ~Hypervisor() = default;

    rt::Result<CapId> create(ObjectType type, CapId partition, CapId cspace);
    rt::Result<> activate(CapId object);

    rt::Result<> cspace_configure(CapId cspace, std::uint64_t max_caps);
    rt::Result<> cspace_attach_thread(CapId cspace, CapId thread);
    rt::Result<CapId> copy_cap(CapId from_cspace, CapId cap, CapId to_cspace, std::uint32_t rights);
    rt::Result<> delete_cap(CapId cspace, CapId cap);

    rt::Result<> addrspace_configure(CapId addrspace, std::uint16_t vmid);
    rt::Result<> addrspace_attach_thread(CapId addrspace, CapId thread);
    rt::Result<> addrspace_attach_vdevice(CapId addrspace, CapId device, unsigned index,
                                          std::uint64_t ipa, std::uint64_t size);
    rt::Result<> addrspace_add_vmmio(CapId addrspace, std::uint64_t ipa, std::uint64_t size);
    /// Maps part of a sparse extent.
    rt::Result<> map_piece(CapId addrspace, const ExtentPiece& piece, std::uint64_t ipa,
                           std::uint64_t attributes);
    rt::Result<> unmap_piece(CapId addrspace, const ExtentPiece& piece, std::uint64_t ipa);
    /// Maps a whole extent.
    rt::Result<> map_whole(CapId addrspace, CapId extent, std::uint64_t ipa,
                           std::uint64_t attributes);

    rt::Result<> memextent_derive(CapId extent, CapId parent, std::uint64_t offset,
                                  std::uint64_t size, std::uint64_t attributes);
    rt::Result<> donate_to_child(const ExtentPiece& from, CapId child);
    rt::Result<> donate_to_parent(const ExtentPiece& from, CapId parent);
    rt::Result<> unmap_everywhere(CapId extent);
    rt::Result<> zero(const ExtentPiece& piece);
    rt::Result<> clean_cache(const ExtentPiece& piece);

    rt::Result<> vic_configure(CapId vic, unsigned max_vcpus, unsigned max_shared_virqs);
    rt::Result<> vic_attach_vcpu(CapId vic, CapId vcpu, unsigned index);
    rt::Result<> vpm_group_attach_vcpu(CapId group, CapId vcpu, unsigned index);
    rt::Result<> hwirq_bind(CapId hwirq, CapId vic, std::uint32_t virq);

    rt::Result<> vcpu_configure(CapId vcpu, std::uint64_t options);
    /// `ipa`: of its structure for PV time, a multiple of 64.
    rt::Result<> vcpu_set_stolen_time(CapId vcpu, std::uint64_t ipa);
    /// `cpu`: physical, or any_cpu.
    rt::Result<> vcpu_set_affinity(CapId vcpu, unsigned cpu);
    static constexpr unsigned any_cpu = ~0U; // also what an affinity-map says for it
    rt::Result<> vcpu_set_priority(CapId vcpu, unsigned priority);
    rt::Result<> vcpu_set_timeslice(CapId vcpu, std::uint64_t nanoseconds);
    rt::Result<> vcpu_bind_virq(CapId vcpu, CapId vic, std::uint32_t virq, unsigned type);
    rt::Result<> vcpu_unbind_virq(CapId vcpu, unsigned type);
    rt::Result<> vcpu_poweron(CapId vcpu, std::uint64_t entry, std::uint64_t context);
    rt::Result<> vcpu_kill(CapId vcpu);
    rt::Result<VcpuState> vcpu_run_check(CapId vcpu);

    rt::Result<> doorbell_bind(CapId doorbell, CapId vic, std::uint32_t virq);
    rt::Result<> watchdog_attach_vcpu(CapId watchdog, CapId vcpu);
    /// The bark's interrupt.
    rt::Result<> watchdog_bind_bark(CapId watchdog, CapId vic, std::uint32_t virq);
    rt::Result<> msgqueue_configure(CapId queue, unsigned depth, unsigned message_size);
    rt::Result<> msgqueue_bind_send(CapId queue, CapId vic, std::uint32_t virq);
    rt::Result<> msgqueue_bind_receive(CapId queue, CapId vic, std::uint32_t virq);
    // Every request makes these two.
    virtual rt::Result<> msgqueue_send(CapId queue, std::span<const std::byte> message, bool push);
    /// Error::msgqueue_empty when there is nothing.
    virtual rt::Result<ReceivedMessage> msgqueue_receive(CapId queue, std::span<std::byte> buffer);

    /// 1 to 32 random bytes; Error::unimplemented or busy when there are none now.
    rt::Result<std::array<std::uint64_t, 4>> entropy(unsigned bytes);
    rt::Result<std::uint64_t> query_counter(CapId partition, unsigned index);
    /// At most 32 bytes.
    rt::Result<> console_write(CapId partition, std::span<const char> text);

protected:
    using Arguments = std::array<std::uint64_t, 8>;
    struct Outcome {
        std::int64_t error = GH_ERROR_OK;
        std::array<std::uint64_t, 4> x{}; // x1 to x4
    };

    /// The call `hvc #(0x6000 + number)` with x0 to x7.
    virtual Outcome hypercall(unsigned number, const Arguments& arguments) = 0;

private:
    rt::Result<> modify_range(std::uint64_t operation, ExtentPiece piece);
    rt::Result<> call(unsigned number, const Arguments& arguments);
    rt::Result<std::array<std::uint64_t, 4>> call_for_values(unsigned number,
                                                             const Arguments& arguments);
};

} // namespace rm
