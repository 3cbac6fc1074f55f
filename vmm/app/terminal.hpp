// SPDX-License-Identifier: BSD-3-Clause
// RawTerminal: a terminal that passes every key on, and is put back as it was.
#pragma once

#include <termios.h>

namespace vmm {

// One at a time. The former settings come back with the destructor, and also when the process dies
// of a fault of its own (SIGSEGV, SIGABRT, ...); only SIGKILL leaves a raw terminal behind.
class RawTerminal {
public:
    // `fd` is a terminal and stays open. Throws gunyah::Error.
    explicit RawTerminal(int fd);
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    ~RawTerminal();
};

// What the destructor does, from a signal handler. Does nothing without a raw terminal.
void restore_terminal();

// Settings that pass all bytes in both directions.
termios raw_settings(termios settings);

} // namespace vmm
