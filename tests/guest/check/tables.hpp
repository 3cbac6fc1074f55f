// SPDX-License-Identifier: BSD-3-Clause
// The tables of checks, one per file in checks/.
#pragma once

#include "check/check.hpp"

#include <span>

namespace test {

std::span<const Check> identification_checks();
std::span<const Check> smccc_checks();
std::span<const Check> psci_checks();
std::span<const Check> register_checks();
std::span<const Check> capability_checks();
std::span<const Check> message_queue_checks();
std::span<const Check> rpc_checks();
std::span<const Check> gic_register_checks();
std::span<const Check> idle_checks();
std::span<const Check> gic_delivery_checks();
std::span<const Check> gic_state_checks();
std::span<const Check> timer_checks();
std::span<const Check> id_register_checks();
std::span<const Check> undefined_register_checks();
std::span<const Check> debug_checks();
std::span<const Check> pmu_checks();
std::span<const Check> vector_checks();
std::span<const Check> stage2_checks();
std::span<const Check> guest_build_checks();
std::span<const Check> guest_run_checks();
std::span<const Check> guest_mmio_checks();
std::span<const Check> guest_interrupt_checks();
std::span<const Check> wake_up_checks();
std::span<const Check> guest_end_checks();

/// All of them, in the order in which they run.
std::span<const std::span<const Check>> check_tables();

} // namespace test
