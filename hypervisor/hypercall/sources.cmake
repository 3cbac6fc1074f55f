# SPDX-License-Identifier: BSD-3-Clause
# Hypercalls.
set(HYP_HYPERCALL_SOURCES
    hypercall/cspace_calls.cpp
    hypercall/dispatch.cpp
    hypercall/doorbell_calls.cpp
    hypercall/guest_buffer.cpp
    hypercall/hwirq_calls.cpp
    hypercall/memextent_calls.cpp
    hypercall/message_queue_calls.cpp
    hypercall/object_calls.cpp
    hypercall/address_space_calls.cpp
    hypercall/system_calls.cpp
    hypercall/vcpu_calls.cpp
    hypercall/vic_calls.cpp
    hypercall/vpm_group_calls.cpp)
