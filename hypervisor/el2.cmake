# SPDX-License-Identifier: BSD-3-Clause
# The hypervisor program: gunyah.elf (with symbols) and gunyah.Image (what firmware loads), with the
# Resource Manager inside. Included by CMakeLists.txt in the el2 build, after core.cmake.

set(HYP_ARM64_SOURCES
    arm64/cache.cpp
    arm64/debug_registers.cpp
    arm64/el2_memory.cpp
    arm64/el2_tables.cpp
    arm64/entropy.cpp
    arm64/firmware.cpp
    arm64/id_registers.cpp
    arm64/image_place.cpp
    arm64/exception.cpp
    arm64/guest_controls.cpp
    arm64/guest_exit.S
    arm64/guest_fp.S
    arm64/guest_system.S
    arm64/guest_state.cpp
    arm64/halt.cpp
    arm64/head.S
    arm64/pmu.cpp
    arm64/tlb.cpp
    arm64/vector_registers.cpp
    arm64/vectors.S)
set(HYP_BOOT_SOURCES
    boot/boot_main.cpp
    boot/cpu_startup.cpp
    boot/machine_report.cpp
    boot/memory_plan.cpp
    boot/panic.cpp
    boot/random_seed.cpp
    boot/resource_manager_memory.cpp
    boot/root_memory.cpp
    boot/root_vm.cpp)

set(hypervisor_dir "${CMAKE_CURRENT_SOURCE_DIR}" CACHE INTERNAL "")
add_library(hypervisor_objects OBJECT
    ${HYP_ARM64_SOURCES}
    ${HYP_BOOT_SOURCES}
    ${hypervisor_core_sources})
gunyah_target(hypervisor_objects)
target_include_directories(hypervisor_objects PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}"
                                                      "${CMAKE_CURRENT_SOURCE_DIR}/arm64")
target_compile_definitions(hypervisor_objects PRIVATE "GUNYAH_VERSION=\"${GUNYAH_VERSION}\"")
target_link_libraries(hypervisor_objects PRIVATE runtime)
# Indirect branches reach only marked places where the CPU can tell (FEAT_BTI); the marks do nothing
# elsewhere. Return addresses are not signed: docs/threat-model.md.
set(hyp_branch_protection -mbranch-protection=bti CACHE INTERNAL "")
target_compile_options(hypervisor_objects PRIVATE ${hyp_branch_protection})
target_compile_options(runtime PRIVATE ${hyp_branch_protection})

# What most exits pass through is compiled as one, so that it calls and saves less. Not everything:
# the link would take too long.
set(hyp_hot_sources
    arm64/debug_registers.cpp
    arm64/guest_state.cpp
    arm64/vector_registers.cpp
    hypercall/dispatch.cpp
    hypercall/doorbell_calls.cpp
    hypercall/message_queue_calls.cpp
    hypercall/vcpu_calls.cpp
    interrupt/gicv3.cpp
    interrupt/irq_bank.cpp
    interrupt/list_registers.cpp
    interrupt/register_frames.cpp
    interrupt/sgi.cpp
    interrupt/soft_timer.cpp
    interrupt/vic.cpp
    interrupt/vic_cpu.cpp
    interrupt/virq_source.cpp
    interrupt/virq_state.cpp
    interrupt/wakeups.cpp
    ipc/doorbell.cpp
    ipc/message_queue.cpp
    memory/address_space_devices.cpp
    object/cspace.cpp
    object/object.cpp
    schedule/physical_interrupts.cpp
    schedule/run_queue.cpp
    schedule/scheduler.cpp
    trap/abort.cpp
    trap/guest_exit.cpp
    trap/id_registers.cpp
    trap/psci.cpp
    trap/smccc.cpp
    trap/system_register.cpp
    vcpu/vcpu.cpp
    vcpu/vcpu_run.cpp)
set_property(SOURCE ${hyp_hot_sources} APPEND PROPERTY COMPILE_OPTIONS -flto)

# Outside the hot paths, where it would change what the compiler inlines: all but what builds the
# first tables runs with the MMU on, where unaligned access is allowed.
set(hyp_late_sources ${HYP_ARM64_SOURCES} ${HYP_BOOT_SOURCES} ${hypervisor_core_sources})
list(REMOVE_ITEM hyp_late_sources arm64/el2_memory.cpp arm64/el2_tables.cpp
    arm64/entropy.cpp arm64/image_place.cpp)
foreach(source IN LISTS hyp_hot_sources)
    list(REMOVE_ITEM hyp_late_sources "${source}" "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
endforeach()
list(FILTER hyp_late_sources EXCLUDE REGEX "\\.S$")
set_property(SOURCE ${hyp_late_sources} APPEND PROPERTY COMPILE_OPTIONS -mno-strict-align)

# What runs at boot, or when a VM is made, is compiled for size.
set(hyp_cold_sources ${HYP_BOOT_SOURCES} ${hypervisor_hypercall_sources}
                     ${hypervisor_ipc_sources} ${hypervisor_vcpu_sources})
foreach(source memory/memextent memory/partition platform/console platform/cpu_nodes
               platform/interrupt_nodes platform/memory_map platform/platform platform/random
               platform/uart_node)
    list(APPEND hyp_cold_sources "${CMAKE_CURRENT_SOURCE_DIR}/${source}.cpp")
endforeach()
foreach(source IN LISTS hyp_hot_sources)
    list(REMOVE_ITEM hyp_cold_sources "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
endforeach()
list(FILTER hyp_cold_sources EXCLUDE REGEX "/(guest_buffer|register|soft_timer)")
list(FILTER hyp_cold_sources EXCLUDE REGEX "\\.S$")
set_property(SOURCE ${hyp_cold_sources} APPEND PROPERTY COMPILE_OPTIONS -Os)

# Of these, buffers on the stack are guarded where a VM or a device tree has a say in what goes there.
set(hyp_guarded_sources ${hyp_cold_sources})
list(FILTER hyp_guarded_sources INCLUDE REGEX "/(ipc|platform)/|/(virtio|system)_calls")
set_property(SOURCE ${hyp_guarded_sources} APPEND PROPERTY COMPILE_OPTIONS -fstack-protector-strong)

# The hypervisor with a first VM inside, whose flat binary, linked at GH_RM_IPA_BASE, is ROOT_BINARY
# (made by target ROOT_TARGET): target NAME, files OUTPUT.elf and OUTPUT.Image.
function(hypervisor_program NAME OUTPUT ROOT_BINARY ROOT_TARGET)
    set(script "${hypervisor_dir}/arm64/hypervisor.lds")
    set(root_image "${hypervisor_dir}/boot/resource_manager_image.S")
    add_executable(${NAME} $<TARGET_OBJECTS:hypervisor_objects> "${root_image}")
    set_source_files_properties("${root_image}" PROPERTIES
        COMPILE_DEFINITIONS "RESOURCE_MANAGER_BINARY=\"${ROOT_BINARY}\""
        OBJECT_DEPENDS "${ROOT_BINARY}")
    gunyah_target(${NAME})
    add_dependencies(${NAME} ${ROOT_TARGET})
    target_link_options(${NAME} PRIVATE "-T${script}" -Wl,--emit-relocs -flto=1 -O2 ${hyp_branch_protection})
    target_link_libraries(${NAME} PRIVATE runtime)
    set_target_properties(${NAME} PROPERTIES OUTPUT_NAME ${OUTPUT} SUFFIX .elf
                                             LINK_DEPENDS "${script}")
    add_custom_command(
        OUTPUT ${OUTPUT}.Image
        COMMAND "${CMAKE_OBJCOPY}" -O binary "$<TARGET_FILE:${NAME}>" ${OUTPUT}.Image
        DEPENDS ${NAME}
        VERBATIM)
    add_custom_target(${NAME}_image ALL DEPENDS "${CMAKE_CURRENT_BINARY_DIR}/${OUTPUT}.Image")
endfunction()

# With the Resource Manager (resource_manager/CMakeLists.txt).
hypervisor_program(hypervisor gunyah
    "${PROJECT_BINARY_DIR}/resource_manager/resource_manager.bin" resource_manager_binary)
