# SPDX-License-Identifier: BSD-3-Clause
# What every part calls: gunyah_target() gives a target the flags of the current build, and
# gunyah_test() defines a unit test of the host build.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)

set(gunyah_warnings -Wall -Wextra -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    # GCC's -Wconversion leaves signedness out; -Wthread-safety checks the lock annotations.
    list(APPEND gunyah_warnings -Wno-sign-conversion -Wthread-safety)
endif()

if(GUNYAH_BUILD STREQUAL host)
    # Not optimized, and with line numbers only: most of the time of a clean ./dev test is this
    # build's, the tests themselves take seconds.
    set(gunyah_compile -O0 -gline-tables-only -fno-omit-frame-pointer
        -fsanitize=address,undefined -fno-sanitize-recover=all)
    set(gunyah_link -fsanitize=address,undefined)
    if(GUNYAH_COVERAGE)
        set(gunyah_compile -O0 -gline-tables-only -fprofile-instr-generate -fcoverage-mapping)
        set(gunyah_link -fprofile-instr-generate)
    endif()
    enable_testing()
    find_package(GTest REQUIRED)
    include(GoogleTest)
elseif(GUNYAH_BUILD STREQUAL el2)
    # No FP/SIMD registers (they belong to the VM that runs), no unaligned access (the MMU may be
    # off), frame pointers for the backtrace, no libgcc calls for atomics. x18 is left to the VMs, so
    # that a hypercall need not save it.
    set(gunyah_compile -O2 -g -ffreestanding -fno-pic -fno-pie -mgeneral-regs-only -mstrict-align
        -mno-outline-atomics -ffixed-x18 -fno-omit-frame-pointer -fno-asynchronous-unwind-tables
        -fno-stack-protector -ffunction-sections -fdata-sections
        $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>
        $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>
        $<$<COMPILE_LANGUAGE:CXX>:-fno-threadsafe-statics>)
    # -ffixed-x18 again: link-time optimisation does not keep it with the functions.
    set(gunyah_link -ffixed-x18 -nostdlib -nostartfiles -static -no-pie -Wl,--gc-sections
        -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096)
else()
    set(gunyah_compile -O2 -g -fno-omit-frame-pointer
        "SHELL:-idirafter ${GUNYAH_SYSROOT}/usr/include"
        "SHELL:-idirafter ${GUNYAH_SYSROOT}/usr/include/aarch64-linux-gnu")
    set(gunyah_link -static -L${GUNYAH_SYSROOT_LIB})
endif()

# Gives TARGET the warnings, the language rules and the code generation of the current build, and
# the repository root as include directory (<abi/...>, <runtime/...>).
function(gunyah_target target)
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
    target_compile_options(${target} PRIVATE
        $<$<NOT:$<COMPILE_LANGUAGE:ASM>>:${gunyah_warnings}> ${gunyah_compile})
    target_link_options(${target} PRIVATE ${gunyah_link})
endfunction()

# gunyah_test(NAME name SOURCES file... [LIBS target...]): a GoogleTest program, each of whose cases
# CTest runs on its own. Does nothing outside the host build.
function(gunyah_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;LIBS")
    if(NOT GUNYAH_BUILD STREQUAL host)
        return()
    endif()
    add_executable(${arg_NAME} ${arg_SOURCES})
    gunyah_target(${arg_NAME})
    target_link_libraries(${arg_NAME} PRIVATE ${arg_LIBS} GTest::gtest_main)
    list(LENGTH arg_SOURCES source_count)
    if(source_count GREATER 2)
        target_precompile_headers(${arg_NAME} PRIVATE <gtest/gtest.h>)
    endif()
    gtest_discover_tests(${arg_NAME} TEST_PREFIX "${arg_NAME}." DISCOVERY_TIMEOUT 60)
endfunction()

# fdt: libfdt, in the arm64 builds Debian's static one from the fetched packages.
add_library(fdt INTERFACE)
if(GUNYAH_BUILD STREQUAL host)
    target_link_libraries(fdt INTERFACE -lfdt)
elseif(GUNYAH_BUILD STREQUAL el2)
    target_compile_options(fdt INTERFACE "SHELL:-idirafter ${GUNYAH_SYSROOT}/usr/include")
    target_link_libraries(fdt INTERFACE "${GUNYAH_SYSROOT_LIB}/libfdt.a")
else()
    target_link_libraries(fdt INTERFACE "${GUNYAH_SYSROOT_LIB}/libfdt.a")
endif()

# compression: zlib and libzstd, for the programs of Linux.
add_library(compression INTERFACE)
if(GUNYAH_BUILD STREQUAL host)
    target_link_libraries(compression INTERFACE -lz -lzstd)
else()
    target_link_libraries(compression INTERFACE
        "${GUNYAH_SYSROOT_LIB}/libz.a" "${GUNYAH_SYSROOT_LIB}/libzstd.a")
endif()

# uring: liburing, for the VMM. The shared library of Debian 12 does not export all that is declared.
add_library(uring INTERFACE)
if(GUNYAH_BUILD STREQUAL host)
    target_link_libraries(uring INTERFACE -l:liburing.a)
else()
    target_link_libraries(uring INTERFACE "${GUNYAH_SYSROOT_LIB}/liburing.a")
endif()

# gunyah_fuzzed(target...): host build: code that fuzz targets run is compiled with what they steer
# by (the sanitizers' runtime has empty functions for other programs), and optimised a little.
function(gunyah_fuzzed)
    if(GUNYAH_BUILD STREQUAL host AND NOT GUNYAH_COVERAGE)
        foreach(target IN LISTS ARGN)
            target_compile_options(${target} PRIVATE -O1 -fsanitize=fuzzer-no-link)
        endforeach()
    endif()
endfunction()

# gunyah_fuzzer(NAME name PREFIX prefix SOURCES file... LIBS target... [OPTIONS option...]): libFuzzer
# target NAME_fuzzer and the test PREFIX.NAME, which runs it for GUNYAH_FUZZ_SECONDS (environment)
# from seeds/NAME here and from what earlier runs found.
function(gunyah_fuzzer)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;PREFIX" "SOURCES;LIBS;OPTIONS")
    set(fuzzer ${arg_NAME}_fuzzer)
    add_executable(${fuzzer} ${arg_SOURCES})
    gunyah_target(${fuzzer})
    target_link_libraries(${fuzzer} PRIVATE ${arg_LIBS})
    target_link_options(${fuzzer} PRIVATE -fsanitize=fuzzer)
    set(corpus "${CMAKE_CURRENT_BINARY_DIR}/corpus/${arg_NAME}")
    file(MAKE_DIRECTORY "${corpus}")
    add_test(NAME ${arg_PREFIX}.${arg_NAME} COMMAND "${PROJECT_SOURCE_DIR}/cmake/run_fuzzer.sh"
        $<TARGET_FILE:${fuzzer}> "${corpus}" "${CMAKE_CURRENT_SOURCE_DIR}/seeds/${arg_NAME}" ${arg_OPTIONS})
endfunction()
