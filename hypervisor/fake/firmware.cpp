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

fake::FirmwareArch& fake::firmware_arch() {
    static FirmwareArch arch;
    return arch;
}

std::int32_t firmware_arch_features(std::uint32_t function) {
    const auto& features = fake::firmware_arch().features;
    const auto found = features.find(function);
    return found == features.end() ? -1 : found->second;
}

std::int64_t firmware_arch_call(std::uint32_t function, std::uint64_t argument) {
    fake::firmware_arch().called = function;
    fake::firmware_arch().argument = argument;
    return 0x42;
}

} // namespace hyp
