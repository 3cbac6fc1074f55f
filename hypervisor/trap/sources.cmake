# SPDX-License-Identifier: BSD-3-Clause
# Exits of guests.
set(HYP_TRAP_SOURCES
    trap/abort.cpp
    trap/debug_access.cpp
    trap/guest_exit.cpp
    trap/id_registers.cpp
    trap/inject.cpp
    trap/psci.cpp
    trap/smccc.cpp
    trap/system_register.cpp)
set(HYP_TRAP_TESTS
    trap/id_registers_test.cpp
    trap/psci_test.cpp
    trap/register_access_test.cpp)
