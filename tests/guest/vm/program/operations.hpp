// SPDX-License-Identifier: BSD-3-Clause
// What the program inside the created VM can be told to do.
#pragma once

#include "vm/mailbox.hpp"

namespace test {

/// Does the mailbox's operation and writes its results.
void perform(Mailbox& mailbox, unsigned cpu);

} // namespace test
