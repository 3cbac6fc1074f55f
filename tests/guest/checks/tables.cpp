// SPDX-License-Identifier: BSD-3-Clause
// The order in which the conformance checks run.
#include "check/tables.hpp"

#include <array>

namespace test {

std::span<const std::span<const Check>> check_tables() {
    static const std::array tables{
        identification_checks(),
        smccc_checks(),
        psci_checks(),
        register_checks(),
        capability_checks(),
        message_queue_checks(),
        rpc_checks(),
        gic_register_checks(),
        gic_delivery_checks(),
        gic_state_checks(),
        timer_checks(),
        idle_checks(),
        id_register_checks(),
        undefined_register_checks(),
        debug_checks(),
        pmu_checks(),
        vector_checks(),
        stage2_checks(),
        guest_build_checks(),
        guest_run_checks(),
        guest_mmio_checks(),
        guest_interrupt_checks(),
        wake_up_checks(),
        guest_end_checks(),
    };
    return tables;
}

} // namespace test
