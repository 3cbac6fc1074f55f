# SPDX-License-Identifier: BSD-3-Clause
# Files of platform/, for the host and the el2 build alike.
set(HYP_PLATFORM_SOURCES
    platform/console.cpp
    platform/cpu_nodes.cpp
    platform/device_tree.cpp
    platform/halt.cpp
    platform/interrupt_nodes.cpp
    platform/memory_map.cpp
    platform/platform.cpp
    platform/uart.cpp
    platform/uart_node.cpp)
set(HYP_PLATFORM_TESTS
    platform/console_test.cpp
    platform/device_tree_test.cpp
    platform/memory_map_test.cpp
    platform/platform_test.cpp
    boot/memory_plan_test.cpp)
# Of boot/, only what is no more than arithmetic runs on the host.
set(HYP_BOOT_HOST_SOURCES boot/memory_plan.cpp)
