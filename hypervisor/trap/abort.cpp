// SPDX-License-Identifier: BSD-3-Clause
// Decodes a stage-2 fault and finds who answers it.
#include "ipc/virtio_mmio.hpp"
#include "memory/address_space.hpp"
#include "memory/ownership.hpp"
#include "trap/exception_class.hpp"
#include "trap/exits.hpp"
#include "vcpu/run_report.hpp"
#include "vcpu/vcpu.hpp"

#include <optional>

namespace hyp {

namespace {

// HPFAR_EL2.FIPA [43:4] holds IPA bits [51:12]; the offset in the page is that of the virtual
// address (Arm ARM D19.2.62).
Ipa faulting_ipa(std::uint64_t hpfar, std::uint64_t far) {
    constexpr std::uint64_t fipa_mask = 0xffffffffff0;
    return Ipa{((hpfar & fipa_mask) << 8) | (far & (page_size - 1))};
}

// QEMU 7.2 was seen to report a translation fault of level -1, although the tables begin below, for
// a walk of stage 1 while another CPU was between break and make of the stage-2 entry.
bool is_stage2_fault(std::uint64_t esr) {
    const std::uint64_t type = esr::fault_status(esr) & esr::fsc_type_mask;
    return esr::fault_status(esr) == esr::fsc_translation_level_minus_1 ||
           type == esr::fsc_translation || type == esr::fsc_access_flag ||
           type == esr::fsc_permission;
}

bool is_permission_fault(std::uint64_t esr) {
    return (esr::fault_status(esr) & esr::fsc_type_mask) == esr::fsc_permission;
}

Access wanted_access(std::uint64_t esr) {
    if (esr::ec(esr) == esr::ec_instruction_abort_lower) {
        return GH_ACCESS_X;
    }
    // A table walk of stage 1 reads, whatever the access was for (S1PTW).
    const bool writes = (esr & esr::wnr) != 0 && (esr & esr::s1ptw) == 0;
    return writes ? GH_ACCESS_W : GH_ACCESS_R;
}

// ESR_EL2.ISS of a data abort with ISV: SAS [23:22], SSE [21], SRT [20:16], SF [15].
[[gnu::always_inline]] inline MmioRequest decode(const Vcpu& vcpu, std::uint64_t esr, Ipa ipa) {
    const unsigned size = 1u << ((esr >> esr::sas_shift) & 3);
    const bool write = (esr & esr::wnr) != 0;
    const auto target = static_cast<unsigned>((esr >> esr::srt_shift) & 0x1f);
    const std::uint64_t bits = ~std::uint64_t{0} >> (64 - size * 8);
    return {.ipa = ipa.value,
            .value = target < 31 ? vcpu.registers.x[target] & bits : 0,
            .size = static_cast<std::uint8_t>(size),
            .target = static_cast<std::uint8_t>(target),
            .write = write,
            .sign_extend = (esr & esr::sse) != 0,
            .wide = (esr & (1u << 15)) != 0};
}

bool is_decodable(std::uint64_t esr) {
    const bool fetch = esr::ec(esr) == esr::ec_instruction_abort_lower;
    return !fetch && (esr & (esr::isv | esr::s1ptw)) == esr::isv;
}

/// True: a virtual device has served it; `value` is what a load gets.
[[gnu::always_inline]] inline bool ask_device(Vcpu& vcpu, const MmioRequest& request,
                                              std::uint64_t& value) {
    MmioAccess access{
        .offset = 0, .size = request.size, .write = request.write, .value = request.value};
    if (!vcpu.address_space().access_vdevice(Ipa{request.ipa}, access)) {
        return false;
    }
    value = access.value;
    return true;
}

bool serve_by_device(Vcpu& vcpu, std::uint64_t esr, Ipa ipa) {
    if (!vcpu.address_space().may_be_vdevice(ipa)) {
        return false;
    }
    const MmioRequest request = decode(vcpu, esr, ipa);
    std::uint64_t value = 0;
    if (!ask_device(vcpu, request, value)) {
        return false;
    }
    complete_mmio_read(vcpu.registers, request, value);
    vcpu.registers.pc += 4;
    return true;
}

/// True: the vCPU waits for its VMM.
[[gnu::noinline]] bool serve_by_vmm(Vcpu& vcpu, std::uint64_t esr, Ipa ipa) {
    const IpaRange range{ipa, std::uint64_t{1} << ((esr >> esr::sas_shift) & 3)};
    if (!vcpu.proxy() || !vcpu.address_space().is_vmmio(range)) {
        return false;
    }
    vcpu.begin_mmio(decode(vcpu, esr, ipa));
    return true;
}

/// A store to memory that the VM may only read may be one to a virtio-mmio register.
bool serve_by_virtio(Vcpu& vcpu, std::uint64_t esr, Ipa ipa) {
    const MmioRequest request = decode(vcpu, esr, ipa);
    const auto memory = request.write ? vcpu.address_space().ram_at(ipa) : std::nullopt;
    const Ref<VirtioMmio> device = memory ? VirtioMmio::find(*memory) : nullptr;
    if (!device) {
        return false;
    }
    device->store(memory->offset_in_page(), request.size, request.value);
    vcpu.registers.pc += 4;
    return true;
}

/// The primary VM has its memory at its physical addresses, so a page of an extent that it cannot
/// reach is one that it has lent, or never had.
bool is_memory_of_another(const Vcpu& vcpu, Ipa ipa) {
    const PhysAddr page{ipa.value & ~(page_size - 1)};
    return vcpu.is_primary() && ownership().owner_of(page) >= OwnerId::first_extent;
}

/// Linux dies of an external abort in kernel mode, and repeats an access for ever that a
/// translation fault was reported of and that its own tables allow. Of an alignment fault it knows
/// no cure either, but it runs the fixup of its accesses to user memory, and a process gets SIGBUS.
void refuse(Vcpu& vcpu, const arch::ExitSyndrome& syndrome, Ipa ipa) {
    const bool data = esr::ec(syndrome.esr) == esr::ec_data_abort_lower;
    const bool walk = (syndrome.esr & esr::s1ptw) != 0;
    const bool lent = data && !walk && is_memory_of_another(vcpu, ipa);
    inject_abort(vcpu, syndrome.esr, syndrome.far, lent ? esr::fsc_alignment : esr::fsc_external);
}

} // namespace

// Only what needs no more than the syndrome says: no fetch, no walk, nothing to extend by its sign.
[[gnu::noinline]] std::uint64_t serve_device_at_once(Vcpu& vcpu, std::uint64_t esr) {
    constexpr std::uint64_t mask = esr::isv | esr::sse | esr::s1ptw | esr::fsc_type_mask;
    const auto target = static_cast<unsigned>(esr >> esr::srt_shift) & 0x1f;
    if ((esr & mask) != (esr::isv | esr::fsc_translation) || !is_at_hand(target)) {
        return leave_for_whole_exit();
    }
    const Ipa ipa = faulting_ipa(arch::read_hpfar(), arch::read_far());
    if (!vcpu.address_space().may_be_vdevice(ipa)) {
        return vcpu.proxy() && serve_by_vmm(vcpu, esr, ipa) ? instruction_waits
                                                            : leave_for_whole_exit();
    }
    const MmioRequest request = decode(vcpu, esr, ipa);
    std::uint64_t value = 0;
    if (!ask_device(vcpu, request, value)) {
        return leave_for_whole_exit();
    }
    if (!request.write && target < 31) {
        vcpu.registers.x[target] = value & (~std::uint64_t{0} >> (64 - request.size * 8));
    }
    return instruction_done;
}

void handle_abort(Vcpu& vcpu, const arch::ExitSyndrome& syndrome) {
    if (!is_stage2_fault(syndrome.esr)) {
        inject_abort(vcpu, syndrome.esr, syndrome.far, esr::fsc_external);
        return;
    }
    const Ipa ipa = faulting_ipa(syndrome.hpfar, syndrome.far);
    const std::uint64_t esr = syndrome.esr;
    if (is_decodable(esr) && (serve_by_device(vcpu, esr, ipa) || serve_by_vmm(vcpu, esr, ipa) ||
                              (is_permission_fault(esr) && serve_by_virtio(vcpu, esr, ipa)))) {
        return;
    }
    // Another CPU may have been between break and make of this very entry: then simply retry.
    if (vcpu.address_space().permits(ipa, wanted_access(esr))) {
        return;
    }
    refuse(vcpu, syndrome, ipa);
}

} // namespace hyp
