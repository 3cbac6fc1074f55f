# SPDX-License-Identifier: BSD-3-Clause
# Toolchain of the static arm64 Linux programs.
set(CMAKE_SYSTEM_NAME Linux)
include("${CMAKE_CURRENT_LIST_DIR}/arm64_compilers.cmake")
