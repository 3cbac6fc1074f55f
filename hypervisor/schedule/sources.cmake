# SPDX-License-Identifier: BSD-3-Clause
# The scheduler.
set(HYP_SCHEDULE_SOURCES
    schedule/physical_interrupts.cpp
    schedule/run_queue.cpp
    schedule/scheduler.cpp)
set(HYP_SCHEDULE_TESTS
    schedule/proxy_test.cpp
    schedule/scheduler_test.cpp)
