# SPDX-License-Identifier: BSD-3-Clause
# The cross compilers that both arm64 toolchain files use.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
foreach(language C ASM)
    set(CMAKE_${language}_COMPILER aarch64-linux-gnu-gcc)
endforeach()
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_OBJCOPY aarch64-linux-gnu-objcopy)
set(CMAKE_NM aarch64-linux-gnu-nm)

# Debian's arm64 library packages, unpacked here by machine/ (no package is installed for arm64).
get_filename_component(gunyah_root "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(GUNYAH_SYSROOT "${gunyah_root}/build/cache/sysroot-arm64")
set(GUNYAH_SYSROOT_LIB "${GUNYAH_SYSROOT}/usr/lib/aarch64-linux-gnu")
