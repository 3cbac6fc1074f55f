// SPDX-License-Identifier: BSD-3-Clause
// EscapeFilter: takes the Ctrl-A commands out of what is typed.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vmm {

// Ctrl-A X (or x) stops the guest, Ctrl-A Ctrl-A is one Ctrl-A, Ctrl-A and anything else passes on
// as it is. Keeps its state between calls: keys may arrive one by one.
class EscapeFilter {
public:
    struct Result {
        std::vector<std::byte> bytes; // for the guest
        bool stop = false;            // what was typed behind the stop command is dropped
    };

    Result filter(std::span<const std::byte> typed);

private:
    bool escaped_ = false;
};

} // namespace vmm
