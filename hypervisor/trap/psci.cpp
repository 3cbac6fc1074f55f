// SPDX-License-Identifier: BSD-3-Clause
// PSCI functions of a VM. The primary VM's system is the machine: its SYSTEM_OFF and SYSTEM_RESET
// go on to the firmware.
#include "platform/console.hpp"
#include "platform/firmware.hpp"
#include "trap/services.hpp"
#include "vcpu/vcpu.hpp"
#include "vcpu/vpm_group.hpp"

#include <abi/hypercall.h>

#include <algorithm>

namespace hyp {

namespace {

// DEN0022 section 5.
constexpr std::uint32_t smc64 = 0x40000000; // tells the SMC64 form of functions that have one
constexpr std::uint32_t psci_last = 0x8400001f;
constexpr std::uint32_t smccc_version = 0x80000000;

enum Answer : std::int64_t {
    success = 0,
    not_supported = -1,
    invalid_parameters = -2,
    denied = -3,
    already_on = -4,
    internal_failure = -6,
    invalid_address = -9,
    affinity_on = 0,
    affinity_off = 1,
    no_trusted_os = 2,
};

struct Call {
    Vcpu& caller;
    bool wide; // the SMC64 form

    /// Arguments of the 32-bit form are 32 bits wide.
    [[nodiscard]] std::uint64_t argument(unsigned n) const {
        const std::uint64_t x = caller.registers.x[n];
        return wide ? x : x & 0xffffffff;
    }
    /// The vCPU that the first argument names, or null.
    [[nodiscard]] Ref<Vcpu> target() const {
        VpmGroup* group = caller.group();
        return group != nullptr ? group->find(argument(1)) : Ref<Vcpu>();
    }
};

std::int64_t version(const Call&) {
    return psci_version_1_1;
}

std::int64_t cpu_on(const Call& call) {
    if (call.caller.group() == nullptr) {
        return not_supported;
    }
    const Ref<Vcpu> target = call.target();
    if (!target) {
        return invalid_parameters;
    }
    const std::uint64_t entry = call.argument(2);
    if ((entry & 3) != 0) {
        return invalid_address;
    }
    if (const auto started = target->power_on(entry, call.argument(3), 0); !started) {
        return started.error() == Error::busy ? already_on : internal_failure;
    }
    return success;
}

std::int64_t cpu_off(const Call& call) {
    call.caller.power_off();
    return success; // which nobody sees
}

std::int64_t affinity_info(const Call& call) {
    const bool lowest_level_is_cpu = call.argument(2) == 0;
    const Ref<Vcpu> target = call.target();
    if (!lowest_level_is_cpu || !target) {
        return invalid_parameters;
    }
    return target->is_off() ? affinity_off : affinity_on;
}

// Every suspend is a standby: state is kept and an interrupt ends it (DEN0022 5.4: a shallower
// state than asked for is allowed).
std::int64_t cpu_suspend(const Call& call) {
    constexpr std::uint64_t reserved = 0xfc000000 | 0x00fe0000; // of the original format, 5.4.2
    const std::uint64_t power_state = call.argument(1);
    if ((power_state & reserved) != 0) {
        return invalid_parameters;
    }
    call.caller.wait_for_interrupt(power_state);
    return success;
}

std::int64_t migrate_info_type(const Call&) {
    return no_trusted_os;
}

void stop_group(Vcpu& caller, VcpuState state, const RunReport& report) {
    caller.stop(state, report);
    VpmGroup* group = caller.group();
    for (unsigned i = 0; group != nullptr && i < VpmGroup::max_vcpus; ++i) {
        if (const Ref<Vcpu> other = group->at(i); other && other.get() != &caller) {
            other->stop(VcpuState::terminated, terminated_report);
        }
    }
}

std::int64_t system_off(const Call& call) {
    if (call.caller.is_primary()) {
        log("the primary VM powers the machine off");
        firmware_system_off();
    }
    stop_group(call.caller, VcpuState::terminated, terminated_report);
    return success;
}

// GH_VCPU_STATE_PSCI_SYSTEM_RESET: bits 31:0 RESET2 type, 62 SMC64 form, 63 plain SYSTEM_RESET.
std::int64_t reset(Vcpu& caller, std::uint64_t reset_type, std::uint64_t cookie) {
    if (caller.is_primary()) {
        log("the primary VM resets the machine");
        firmware_system_reset();
    }
    stop_group(caller, VcpuState::reset,
               RunReport{GH_VCPU_STATE_PSCI_SYSTEM_RESET, {reset_type, cookie}});
    return success;
}

std::int64_t system_reset(const Call& call) {
    return reset(call.caller, 1ull << 63, 0);
}

std::int64_t system_reset2(const Call& call) {
    const std::uint64_t type = call.argument(1) & 0xffffffff;
    constexpr std::uint64_t vendor_specific = 1u << 31;
    if (type != 0 && (type & vendor_specific) == 0) {
        return invalid_parameters; // reserved architectural types
    }
    return reset(call.caller, (call.wide ? 1ull << 62 : 0) | type, call.argument(2));
}

// DEN0022 5.20: only the last CPU that is on may call it. Success is the entry point.
std::int64_t system_suspend(const Call& call) {
    Vcpu& caller = call.caller;
    if (caller.group() != nullptr && !caller.group()->is_last_on(caller)) {
        return denied;
    }
    caller.suspend_system(call.argument(1), call.argument(2));
    return static_cast<std::int64_t>(caller.registers.x[0]);
}

std::int64_t features(const Call&);

struct Function {
    std::uint32_t id;
    bool has_smc64;
    std::int64_t (*serve)(const Call&); // -> x0
};

constexpr Function functions[] = {
    {psci_version, false, version},    {0x84000001, true, cpu_suspend},
    {0x84000002, false, cpu_off},      {0x84000003, true, cpu_on},
    {0x84000004, true, affinity_info}, {0x84000006, false, migrate_info_type},
    {0x84000008, false, system_off},   {0x84000009, false, system_reset},
    {0x8400000a, false, features},     {0x8400000e, true, system_suspend},
    {0x84000012, true, system_reset2},
};

/// nullptr: there is no such function.
const Function* find(std::uint64_t id) {
    const auto* found = std::ranges::find_if(functions, [id](const Function& one) {
        return one.id == id || (one.has_smc64 && (one.id | smc64) == id);
    });
    return found != std::end(functions) ? found : nullptr;
}

std::int64_t features(const Call& call) {
    const std::uint64_t asked = call.argument(1);
    return asked == smccc_version || find(asked) != nullptr ? success : not_supported;
}

} // namespace

bool serve_psci(Vcpu& vcpu, std::uint32_t function) {
    const std::uint32_t as_smc32 = function & ~smc64;
    if (as_smc32 < psci_version || as_smc32 > psci_last) {
        return false;
    }
    const Function* known = find(function);
    const Call call{vcpu, (function & smc64) != 0};
    vcpu.registers.x[0] =
        static_cast<std::uint64_t>(known != nullptr ? known->serve(call) : not_supported);
    return true;
}

} // namespace hyp
