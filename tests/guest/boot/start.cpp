// SPDX-License-Identifier: BSD-3-Clause
// Brings the machine up, runs the checks, powers off.
#include "check/check.hpp"
#include "check/tables.hpp"
#include "machine/board.hpp"
#include "machine/cpus.hpp"
#include "machine/page_tables.hpp"
#include "machine/uart.hpp"

#include <runtime/panic.hpp>
#include <runtime/startup.hpp>

#include <array>

namespace test {

namespace {

constinit std::uint64_t image_base = 0;

} // namespace

std::uint64_t image_offset(std::uint64_t address) {
    return address - image_base;
}

bool has_hypervisor() {
    return !board().has_argument("bare");
}

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
        timer_checks(),
        id_register_checks(),
        undefined_register_checks(),
        debug_checks(),
        stage2_checks(),
        guest_build_checks(),
        guest_run_checks(),
        guest_mmio_checks(),
        guest_interrupt_checks(),
        guest_end_checks(),
    };
    return tables;
}

extern "C" [[noreturn]] void start_main(const void* dtb, std::uint64_t base) {
    image_base = base;
    rt::run_static_constructors();
    const char* problem = read_board(dtb);
    init_uart(board().uart);
    if (problem != nullptr) {
        rt::panic(problem);
    }
    build_page_tables();
    enable_mmu();
    rt::print(uart(), "conformance checks on {} CPUs{}\n", cpu_count(),
              has_hypervisor() ? "" : ", without a hypervisor");
    run_all_checks();
    power_off();
}

} // namespace test

/// The program itself is broken, not what it tests.
void rt::panic(const char* reason) {
    rt::print(test::uart(), "FAIL program: {}\n0 passed, 1 failed\n", reason);
    test::power_off();
}
