// SPDX-License-Identifier: BSD-3-Clause
// Brings the machine up, runs the checks, powers off.
#include "check/check.hpp"
#include "machine/board.hpp"
#include "machine/cpus.hpp"
#include "machine/page_tables.hpp"
#include "machine/uart.hpp"

#include <runtime/panic.hpp>
#include <runtime/startup.hpp>

namespace test {

namespace {

constinit std::uint64_t image_base = 0;
constinit std::uint64_t tick_of_entry = 0;

} // namespace

std::uint64_t image_offset(std::uint64_t address) {
    return address - image_base;
}

std::uint64_t first_tick() {
    return tick_of_entry;
}

bool has_hypervisor() {
    return !board().has_argument("bare");
}

extern "C" [[noreturn]] void start_main(const void* dtb, std::uint64_t base, std::uint64_t tick) {
    image_base = base;
    tick_of_entry = tick;
    rt::run_static_constructors();
    const char* problem = read_board(dtb);
    init_uart(board().uart);
    if (problem != nullptr) {
        rt::panic(problem);
    }
    build_page_tables();
    enable_mmu();
    rt::print(uart(), "checks on {} CPUs{}\n", cpu_count(),
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
