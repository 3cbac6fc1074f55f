# SPDX-License-Identifier: BSD-3-Clause
# The host build: a library per layer over the fake architecture, and a test program per layer.
# hypervisor_core is all of them; fuzzers and other tests link it.
set(hypervisor_includes "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/fake")

file(GLOB hypervisor_fake_sources CONFIGURE_DEPENDS fake/*.cpp)
list(FILTER hypervisor_fake_sources EXCLUDE REGEX "test_machine\\.cpp$")
add_library(hypervisor_fake STATIC ${hypervisor_fake_sources})
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
    gunyah_fuzzed(hypervisor_${layer})
    target_link_libraries(hypervisor_${layer} PUBLIC ${lower_layer})
    target_link_libraries(hypervisor_core INTERFACE hypervisor_${layer})
    set(lower_layer hypervisor_${layer})
endforeach()

target_link_libraries(hypervisor_platform PUBLIC fdt)

# The base of tests that want a machine with memory, and what layers have in LAYER/testing/ for
# their own tests and those of the layers above.
add_library(hypervisor_test_machine STATIC fake/test_machine.cpp)
gunyah_target(hypervisor_test_machine)
target_link_libraries(hypervisor_test_machine PUBLIC hypervisor_memory GTest::gtest)

set(test_support hypervisor_test_machine)
foreach(layer IN LISTS hypervisor_layers)
    file(GLOB support_sources CONFIGURE_DEPENDS ${layer}/testing/*.cpp)
    if(support_sources)
        add_library(hypervisor_${layer}_testing STATIC ${support_sources})
        gunyah_target(hypervisor_${layer}_testing)
        target_link_libraries(hypervisor_${layer}_testing PUBLIC hypervisor_${layer} ${test_support})
        set(test_support hypervisor_${layer}_testing)
    endif()
    if(hypervisor_${layer}_tests)
        gunyah_test(NAME hypervisor_${layer}_test
            SOURCES ${hypervisor_${layer}_tests}
            LIBS ${test_support} hypervisor_${layer})
    endif()
endforeach()

# Of boot/ and arm64/, what is no more than arithmetic and words.
add_library(hypervisor_boot_plan STATIC
    arm64/el2_tables.cpp arm64/exception.cpp boot/memory_plan.cpp)
gunyah_target(hypervisor_boot_plan)
gunyah_fuzzed(hypervisor_boot_plan)
target_link_libraries(hypervisor_boot_plan PUBLIC hypervisor_platform)
gunyah_test(NAME hypervisor_boot_test
    SOURCES arm64/el2_tables_test.cpp arm64/exception_test.cpp boot/memory_plan_test.cpp
    LIBS hypervisor_boot_plan)
