// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for the firmware: what ends the machine ends the test's call.
#include <arch/firmware_end.hpp>

#include "platform/firmware.hpp"

namespace hyp {

void firmware_system_off() {
    throw fake::FirmwareEnd{fake::FirmwareEnd::Kind::off};
}

void firmware_system_reset() {
    throw fake::FirmwareEnd{fake::FirmwareEnd::Kind::reset};
}

} // namespace hyp
