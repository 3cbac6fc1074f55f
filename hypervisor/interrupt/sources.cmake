# SPDX-License-Identifier: BSD-3-Clause
# The interrupt layer: what hypervisor/CMakeLists.txt builds of it.
set(HYP_INTERRUPT_SOURCES
    interrupt/distributor.cpp
    interrupt/gicv3.cpp
    interrupt/hardware_link.cpp
    interrupt/hwirq.cpp
    interrupt/irq_bank.cpp
    interrupt/list_registers.cpp
    interrupt/redistributor.cpp
    interrupt/sgi.cpp
    interrupt/vic.cpp
    interrupt/vic_cpu.cpp
    interrupt/virq_source.cpp
    interrupt/virq_state.cpp
    interrupt/wakeups.cpp)
# Host only: the pretended registers and the bus.
set(HYP_INTERRUPT_FAKE_SOURCES
    fake/gic.cpp
    fake/mmio.cpp)
set(HYP_INTERRUPT_TESTS)
