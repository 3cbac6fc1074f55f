# SPDX-License-Identifier: BSD-3-Clause
# The host build: a library per layer over the fake architecture, and a test program per layer.
# hypervisor_core is all of them; fuzzers and other tests link it.
set(hypervisor_includes "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/fake")

add_library(hypervisor_fake STATIC
    fake/cache.cpp fake/cpu.cpp fake/physmap.cpp fake/poison.cpp fake/stage2_attributes.cpp
    fake/tlb.cpp)
gunyah_target(hypervisor_fake)
target_include_directories(hypervisor_fake PUBLIC ${hypervisor_includes})
target_link_libraries(hypervisor_fake PUBLIC runtime)

add_library(hypervisor_core INTERFACE)
target_link_libraries(hypervisor_core INTERFACE hypervisor_fake)
set(lower_layer hypervisor_fake)
foreach(layer IN LISTS hypervisor_layers)
    if(NOT hypervisor_${layer}_sources)
        continue()
    endif()
    add_library(hypervisor_${layer} STATIC ${hypervisor_${layer}_sources})
    gunyah_target(hypervisor_${layer})
    target_link_libraries(hypervisor_${layer} PUBLIC ${lower_layer})
    target_link_libraries(hypervisor_core INTERFACE hypervisor_${layer})
    set(lower_layer hypervisor_${layer})
endforeach()

# The base of tests that want a machine with memory.
add_library(hypervisor_test_machine STATIC fake/test_machine.cpp)
gunyah_target(hypervisor_test_machine)
target_link_libraries(hypervisor_test_machine PUBLIC hypervisor_memory GTest::gtest)

foreach(layer IN LISTS hypervisor_layers)
    if(hypervisor_${layer}_tests)
        gunyah_test(NAME hypervisor_${layer}_test
            SOURCES ${hypervisor_${layer}_tests}
            LIBS hypervisor_${layer} hypervisor_test_machine)
    endif()
endforeach()
