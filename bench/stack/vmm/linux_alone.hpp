// SPDX-License-Identifier: BSD-3-Clause
// What Linux alone takes for the system calls between an irqfd's write and the guest's handler.
#pragma once

namespace bench {

// Prints a row each for a write to an eventfd that nobody listens to, for an ioctl that our driver
// answers at once, and for a write that wakes another thread, until that one is back in user space.
void measure_linux_alone();

} // namespace bench
