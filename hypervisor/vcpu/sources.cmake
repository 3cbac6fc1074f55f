# SPDX-License-Identifier: BSD-3-Clause
# Virtual CPUs.
set(HYP_VCPU_SOURCES
    vcpu/soft_timer.cpp
    vcpu/vcpu.cpp
    vcpu/vcpu_configuration.cpp
    vcpu/vcpu_run.cpp
    vcpu/vpm_group.cpp)
