// SPDX-License-Identifier: BSD-3-Clause
// PSCI functions of a VM. The primary VM's system is the machine: its SYSTEM_OFF and SYSTEM_RESET
// go on to the firmware.
#include "trap/psci.hpp"

#include "platform/console.hpp"
#include "platform/firmware.hpp"
#include "vcpu/vcpu.hpp"
#include "vcpu/vpm_group.hpp"

#include <abi/hypercall.h>

namespace hyp {

namespace {

// DEN0022 section 5. Bit 30 tells the SMC64 form of those that have one.
constexpr std::uint32_t smc64 = 0x40000000;
constexpr std::uint32_t psci_base = 0x84000000;
constexpr std::uint32_t psci_last = 0x8400001f;
constexpr std::uint32_t psci_cpu_suspend = 0x84000001;
constexpr std::uint32_t psci_cpu_off = 0x84000002;
constexpr std::uint32_t psci_cpu_on = 0x84000003;
constexpr std::uint32_t psci_affinity_info = 0x84000004;
constexpr std::uint32_t psci_migrate_info_type = 0x84000006;
constexpr std::uint32_t psci_system_off = 0x84000008;
constexpr std::uint32_t psci_system_reset = 0x84000009;
constexpr std::uint32_t psci_features = 0x8400000a;
constexpr std::uint32_t psci_system_suspend = 0x8400000e;
constexpr std::uint32_t psci_system_reset2 = 0x84000012;
constexpr std::uint32_t smccc_version = 0x80000000;

constexpr std::uint64_t version_1_1 = 0x10001;
constexpr std::uint64_t no_trusted_os = 2;

enum class Psci : std::int64_t {
    success = 0,
    not_supported = -1,
    invalid_parameters = -2,
    denied = -3,
    already_on = -4,
    on_pending = -5,
    internal_failure = -6,
    invalid_address = -9,
};

constexpr std::uint64_t affinity_on = 0;
constexpr std::uint64_t affinity_off = 1;

std::uint64_t value(Psci result) {
    return static_cast<std::uint64_t>(result);
}

// Arguments of the 32-bit form are 32 bits wide.
std::uint64_t argument(const Vcpu& vcpu, std::uint32_t function, unsigned n) {
    const std::uint64_t x = vcpu.registers.x[n];
    return (function & smc64) != 0 ? x : x & 0xffffffff;
}

Psci cpu_on(Vcpu& caller, std::uint32_t function) {
    VpmGroup* group = caller.group();
    if (group == nullptr) {
        return Psci::not_supported;
    }
    const Ref<Vcpu> target = group->find(argument(caller, function, 1));
    if (!target) {
        return Psci::invalid_parameters;
    }
    const std::uint64_t entry = argument(caller, function, 2);
    if ((entry & 3) != 0) {
        return Psci::invalid_address;
    }
    const auto started = target->power_on(entry, argument(caller, function, 3), 0);
    if (started) {
        return Psci::success;
    }
    return started.error() == Error::busy ? Psci::already_on : Psci::internal_failure;
}

std::uint64_t affinity_info(Vcpu& caller, std::uint32_t function) {
    VpmGroup* group = caller.group();
    const bool lowest_level_is_cpu = argument(caller, function, 2) == 0;
    if (group == nullptr || !lowest_level_is_cpu) {
        return value(Psci::invalid_parameters);
    }
    const Ref<Vcpu> target = group->find(argument(caller, function, 1));
    if (!target) {
        return value(Psci::invalid_parameters);
    }
    return target->is_off() ? affinity_off : affinity_on;
}

void stop_group(Vcpu& caller, VcpuState state, const RunReport& report) {
    caller.stop(state, report);
    VpmGroup* group = caller.group();
    for (unsigned i = 0; group != nullptr && i < VpmGroup::max_vcpus; ++i) {
        if (const Ref<Vcpu> other = group->at(i); other && other.get() != &caller) {
            other->stop(VcpuState::terminated,
                        RunReport{GH_VCPU_STATE_POWERED_OFF, {GH_VCPU_POWEROFF_TERMINATED}});
        }
    }
}

void system_off(Vcpu& caller) {
    if (caller.is_primary()) {
        log("the primary VM powers the machine off");
        firmware_system_off();
    }
    stop_group(caller, VcpuState::terminated,
               RunReport{GH_VCPU_STATE_POWERED_OFF, {GH_VCPU_POWEROFF_TERMINATED}});
}

// GH_VCPU_STATE_PSCI_SYSTEM_RESET: bits 31:0 RESET2 type, 62 SMC64 form, 63 plain SYSTEM_RESET.
void system_reset(Vcpu& caller, std::uint64_t reset_type, std::uint64_t cookie) {
    if (caller.is_primary()) {
        log("the primary VM resets the machine");
        firmware_system_reset();
    }
    stop_group(caller, VcpuState::reset,
               RunReport{GH_VCPU_STATE_PSCI_SYSTEM_RESET, {reset_type, cookie}});
}

std::uint64_t system_reset2(Vcpu& caller, std::uint32_t function) {
    const std::uint64_t type = argument(caller, function, 1) & 0xffffffff;
    constexpr std::uint64_t vendor_specific = 1u << 31;
    if (type != 0 && (type & vendor_specific) == 0) {
        return value(Psci::invalid_parameters); // reserved architectural types
    }
    const std::uint64_t form = (function & smc64) != 0 ? 1ull << 62 : 0;
    system_reset(caller, form | type, argument(caller, function, 2));
    return value(Psci::success);
}

// DEN0022 5.20: only the last CPU that is on may call it. Success is the entry point.
void system_suspend(Vcpu& caller, std::uint32_t function) {
    if (caller.group() != nullptr && !caller.group()->is_last_on(caller)) {
        caller.registers.x[0] = value(Psci::denied);
        return;
    }
    caller.suspend_system(argument(caller, function, 1), argument(caller, function, 2));
}

std::uint64_t features(std::uint32_t function) {
    switch (function) {
    case psci_version:
    case psci_cpu_off:
    case psci_migrate_info_type:
    case psci_system_off:
    case psci_system_reset:
    case psci_features:
    case smccc_version:
    case psci_cpu_suspend:
    case psci_cpu_suspend | smc64:
    case psci_cpu_on:
    case psci_cpu_on | smc64:
    case psci_affinity_info:
    case psci_affinity_info | smc64:
    case psci_system_suspend:
    case psci_system_suspend | smc64:
    case psci_system_reset2:
    case psci_system_reset2 | smc64:
        return 0;
    default:
        return value(Psci::not_supported);
    }
}

void cpu_off(Vcpu& caller) {
    caller.power_off();
}

// Every suspend is a standby: state is kept and an interrupt ends it (DEN0022 5.4: a shallower
// state than asked for is allowed).
void cpu_suspend(Vcpu& caller, std::uint32_t function) {
    constexpr std::uint64_t reserved = 0xfc000000 | 0x00fe0000; // of the original format, 5.4.2
    const std::uint64_t power_state = argument(caller, function, 1);
    if ((power_state & reserved) != 0) {
        caller.registers.x[0] = value(Psci::invalid_parameters);
        return;
    }
    caller.registers.x[0] = value(Psci::success);
    caller.wait_for_interrupt(power_state);
}

} // namespace

bool is_psci(std::uint32_t function) {
    const std::uint32_t as_smc32 = function & ~smc64;
    return as_smc32 >= psci_base && as_smc32 <= psci_last;
}

void handle_psci(Vcpu& vcpu, std::uint32_t function) {
    auto& x0 = vcpu.registers.x[0];
    switch (function) {
    case psci_version:
        x0 = version_1_1;
        break;
    case psci_features:
        x0 = features(static_cast<std::uint32_t>(vcpu.registers.x[1]));
        break;
    case psci_migrate_info_type:
        x0 = no_trusted_os;
        break;
    case psci_cpu_off:
        cpu_off(vcpu);
        break;
    case psci_cpu_on:
    case psci_cpu_on | smc64:
        x0 = value(cpu_on(vcpu, function));
        break;
    case psci_affinity_info:
    case psci_affinity_info | smc64:
        x0 = affinity_info(vcpu, function);
        break;
    case psci_cpu_suspend:
    case psci_cpu_suspend | smc64:
        cpu_suspend(vcpu, function);
        break;
    case psci_system_off:
        system_off(vcpu);
        break;
    case psci_system_reset:
        system_reset(vcpu, 1ull << 63, 0);
        break;
    case psci_system_suspend:
    case psci_system_suspend | smc64:
        system_suspend(vcpu, function);
        break;
    case psci_system_reset2:
    case psci_system_reset2 | smc64:
        x0 = system_reset2(vcpu, function);
        break;
    default:
        x0 = value(Psci::not_supported);
        break;
    }
}

} // namespace hyp
