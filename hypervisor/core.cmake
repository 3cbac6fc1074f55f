# SPDX-License-Identifier: BSD-3-Clause
# The sources of the hypervisor that know no architecture, layer by layer: each layer may use those
# before it. Used by the host build (libraries and tests) and by el2.cmake (hypervisor_core_sources).
set(hypervisor_layers
    heap object platform memory interrupt ipc vcpu schedule hypercall trap)

foreach(layer IN LISTS hypervisor_layers)
    file(GLOB hypervisor_${layer}_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/${layer}/*.cpp")
    set(hypervisor_${layer}_tests ${hypervisor_${layer}_sources})
    list(FILTER hypervisor_${layer}_tests INCLUDE REGEX "_test\\.cpp$")
    list(FILTER hypervisor_${layer}_sources EXCLUDE REGEX "_test\\.cpp$")
    file(GLOB hypervisor_${layer}_testing CONFIGURE_DEPENDS
        "${CMAKE_CURRENT_LIST_DIR}/${layer}/testing/*.cpp")
    list(APPEND hypervisor_${layer}_tests ${hypervisor_${layer}_testing})
    list(APPEND hypervisor_core_sources ${hypervisor_${layer}_sources})
endforeach()
