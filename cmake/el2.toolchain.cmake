# SPDX-License-Identifier: BSD-3-Clause
# Toolchain of the freestanding arm64 build: no operating system, no C library.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
include("${CMAKE_CURRENT_LIST_DIR}/arm64_compilers.cmake")
