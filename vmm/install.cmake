# SPDX-License-Identifier: BSD-3-Clause
# `cmake --install`: the program, and its manual page and completions, which it writes itself.
include(GNUInstallDirs)
install(TARGETS gunyah RUNTIME)
# On another computer than arm64 Linux it needs an emulator for that (Debian package qemu-user-static).
find_program(GUNYAH_EMULATOR NAMES qemu-aarch64-static qemu-aarch64)
install(CODE "
    set(program \"$<TARGET_FILE:gunyah>\")
    set(emulator \"$<$<BOOL:${CMAKE_CROSSCOMPILING}>:${GUNYAH_EMULATOR}>\")
    set(manual \"${CMAKE_INSTALL_MANDIR}/man1/gunyah.1\")
    set(completion \"${CMAKE_INSTALL_DATADIR}/bash-completion/completions/gunyah\")
")
install(CODE [[
    foreach(document manual completion)
        set(place "${CMAKE_INSTALL_PREFIX}/${${document}}")
        get_filename_component(folder "$ENV{DESTDIR}${place}" DIRECTORY)
        file(MAKE_DIRECTORY "${folder}")
        execute_process(COMMAND ${emulator} "${program}" ${document}
                        OUTPUT_FILE "$ENV{DESTDIR}${place}" RESULT_VARIABLE status)
        if(status EQUAL 0)
            message(STATUS "Installing: $ENV{DESTDIR}${place}")
        else()
            file(REMOVE "$ENV{DESTDIR}${place}")
            message(WARNING "${place} is not installed: this computer cannot run ${program} to write "
                            "it (${status}); install qemu-user-static, or run on the target: "
                            "gunyah ${document} >${place}")
        endif()
    endforeach()
]])
