// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: everything that brings a VM to EL2 but Gunyah's own calls: faults of stage 2 at any
// address with any syndrome, trapped system registers, PSCI and the other SMCCC services,
// interrupts and the passing of time, by vCPUs with a virtual GIC, a virtio-mmio device and a
// device that a VMM emulates. When the VMs are gone, nothing of them may be left (Machine).
#include "argument.hpp"

#include "interrupt/testing/guest_interface.hpp"
#include "trap/exception_class.hpp"
#include "trap/register_access.hpp"

#include <abi/hypercall.h>

#include <array>

namespace {

using fuzz::Machine;
using fuzz::Word;
using Input = vmm::fuzz::FuzzInput;
namespace esr = hyp::esr;

constexpr Word iss_mask = (Word{1} << 25) - 1;

constexpr std::array<Word, 8> places{
    Machine::memory_ipa,        Machine::virtio_ipa,
    Machine::distributor_ipa,   Machine::redistributor_ipa,
    Machine::redistributor_ipa, Machine::redistributor_ipa + 0x10000,
    Machine::vmmio_ipa,         Machine::vmmio_ipa + Machine::vmmio_size - 4};

/// First function identifiers of the services (Arm DEN0028, DEN0022, DEN0057, DEN0098).
constexpr std::array<std::uint32_t, 8> services{0x8400'0000, 0xc400'0000, 0x8400'0050, 0xc400'0050,
                                                0x8000'0000, 0xc500'0020, 0x8600'ff00, 0xc600'0000};

/// Where the table of EL2 has something: op0, op1, CRn, CRm, op2 of ISS.
constexpr Word iss_of(Word op0, Word op1, Word crn, Word crm, Word op2) {
    return op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | crm << 1;
}
constexpr std::array<Word, 8> system_registers{iss_of(3, 0, 12, 11, 5), iss_of(3, 0, 12, 11, 7),
                                               iss_of(3, 0, 12, 11, 1), iss_of(3, 0, 0, 1, 0),
                                               iss_of(3, 0, 0, 7, 2),   iss_of(3, 3, 9, 12, 0),
                                               iss_of(2, 0, 0, 0, 4),   iss_of(2, 0, 1, 0, 4)};

/// A load or store (or, by one bit, a fetch) at `ipa`.
hyp::arch::ExitSyndrome fault(Input& input) {
    const auto choice = input.take<std::uint8_t>();
    const Word iss = input.take<std::uint32_t>() & iss_mask;
    const Word offset = input.take<std::uint16_t>();
    const bool anywhere = (choice & 0x20) != 0;
    const Word ipa = anywhere ? input.take<Word>() : places[choice % places.size()] + offset;
    const Word ec =
        (choice & 0x40) != 0 ? esr::ec_instruction_abort_lower : esr::ec_data_abort_lower;
    // Mostly a translation or permission fault with a valid syndrome.
    const Word likely = (choice & 8) != 0
                            ? (iss & ~Word{0xbf}) | esr::isv | ((choice & 16) != 0 ? 0x0f : 0x07)
                            : iss;
    return {.esr = ec << esr::ec_shift | esr::il | likely,
            .far = offset | Word{choice & 0x80U} << 40,
            .hpfar = ipa >> 12 << 4};
}

void guest_interface(Machine& machine, unsigned cpu, Input& input) {
    hyp::fake::GuestInterface guest(cpu, &machine.gic());
    const auto choice = input.take<std::uint8_t>();
    switch (choice % 4) {
    case 0:
        guest.start(input.take<std::uint8_t>(), (choice & 4) != 0);
        break;
    case 1:
        (void)guest.acknowledge();
        break;
    case 2:
        guest.end(input.take<std::uint8_t>());
        break;
    default:
        (void)guest.handle_all();
    }
}

void trap(Machine& machine, unsigned cpu, hyp::Vcpu& vcpu, Input& input) {
    const auto kind = input.take<std::uint8_t>() % 8;
    switch (kind) {
    case 0:
    case 1:
    case 2:
        machine.exit(cpu, vcpu, fault(input));
        break;
    case 3: {
        const Word iss = system_registers[input.take<std::uint8_t>() % system_registers.size()] ^
                         input.take<std::uint16_t>();
        machine.exit(cpu, vcpu,
                     {.esr = esr::ec_sysreg << esr::ec_shift | iss, .far = 0, .hpfar = 0});
        break;
    }
    case 4: {
        const auto which = input.take<std::uint8_t>();
        vcpu.registers.x[0] = services[which % services.size()] + input.take<std::uint8_t>() % 0x60;
        const Word ec = (which & 8) != 0 ? esr::ec_hvc64 : esr::ec_smc64;
        machine.exit(cpu, vcpu, {.esr = ec << esr::ec_shift, .far = 0, .hpfar = 0});
        break;
    }
    case 5: {
        const std::array<Word, 2> run{machine.guest_vcpu(), input.take<std::uint8_t>()};
        machine.hypercall(cpu, vcpu, GH_VCPU_RUN, run);
        break;
    }
    case 6:
        guest_interface(machine, cpu, input);
        break;
    default:
        machine.exit(cpu, vcpu,
                     {.esr = input.take<std::uint32_t>(), .far = input.take<Word>(), .hpfar = 0});
    }
}

void step(Machine& machine, Input& input) {
    const auto action = input.take<std::uint8_t>();
    const unsigned cpu = action & 1;
    if (action >= 0xf0) {
        Machine::pass(input.take<std::uint32_t>());
    } else if (action >= 0xd8) {
        Machine::interrupt(cpu, input.take<std::uint8_t>() % 128);
    }
    hyp::Vcpu* const vcpu = machine.enter(cpu);
    if (vcpu == nullptr) {
        return;
    }
    for (std::size_t i = 0; i < (action >> 1 & 3); ++i) {
        vcpu->registers.x[1 + i] = fuzz::argument(machine, input);
    }
    trap(machine, cpu, *vcpu, input);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    Machine machine(~0U);
    while (!input.empty()) {
        step(machine, input);
    }
    return 0;
}
