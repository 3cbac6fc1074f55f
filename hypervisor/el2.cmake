# SPDX-License-Identifier: BSD-3-Clause
# The hypervisor program: gunyah.elf (with symbols) and gunyah.Image (what firmware loads), with the
# Resource Manager inside. Included by CMakeLists.txt in the el2 build, after core.cmake.
set(GUNYAH_VERSION "0.1")

set(HYP_ARM64_SOURCES
    arm64/cache.cpp
    arm64/debug_registers.cpp
    arm64/el2_memory.cpp
    arm64/el2_tables.cpp
    arm64/entropy.cpp
    arm64/firmware.cpp
    arm64/id_registers.cpp
    arm64/exception.cpp
    arm64/guest_controls.cpp
    arm64/guest_exit.S
    arm64/guest_fp.S
    arm64/guest_state.cpp
    arm64/halt.cpp
    arm64/head.S
    arm64/pmu.cpp
    arm64/smccc.cpp
    arm64/stage2_attributes.cpp
    arm64/tlb.cpp
    arm64/vectors.S)
set(HYP_BOOT_SOURCES
    boot/boot_main.cpp
    boot/cpu_startup.cpp
    boot/machine_report.cpp
    boot/memory_plan.cpp
    boot/panic.cpp
    boot/random_seed.cpp
    boot/resource_manager_image.S
    boot/resource_manager_memory.cpp
    boot/root_memory.cpp
    boot/root_vm.cpp)

# The Resource Manager as a flat binary, linked at GH_RM_IPA_BASE (resource_manager/CMakeLists.txt).
set(rm_binary "${PROJECT_BINARY_DIR}/resource_manager/resource_manager.bin")
set_source_files_properties(boot/resource_manager_image.S PROPERTIES
    COMPILE_DEFINITIONS "RESOURCE_MANAGER_BINARY=\"${rm_binary}\""
    OBJECT_DEPENDS "${rm_binary}")

set(hyp_linker_script "${CMAKE_CURRENT_SOURCE_DIR}/arm64/hypervisor.lds")
add_executable(hypervisor
    ${HYP_ARM64_SOURCES}
    ${HYP_BOOT_SOURCES}
    ${hypervisor_core_sources})
gunyah_target(hypervisor)
target_include_directories(hypervisor PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}"
                                              "${CMAKE_CURRENT_SOURCE_DIR}/arm64")
target_compile_definitions(hypervisor PRIVATE "GUNYAH_VERSION=\"${GUNYAH_VERSION}\"")
add_dependencies(hypervisor resource_manager_binary)
target_link_options(hypervisor PRIVATE "-T${hyp_linker_script}")
target_link_libraries(hypervisor PRIVATE runtime)
set_target_properties(hypervisor PROPERTIES OUTPUT_NAME gunyah SUFFIX .elf
                                            LINK_DEPENDS "${hyp_linker_script}")

add_custom_command(
    OUTPUT gunyah.Image
    COMMAND "${CMAKE_OBJCOPY}" -O binary "$<TARGET_FILE:hypervisor>" gunyah.Image
    DEPENDS hypervisor
    VERBATIM)
add_custom_target(hypervisor_image ALL DEPENDS "${CMAKE_CURRENT_BINARY_DIR}/gunyah.Image")
