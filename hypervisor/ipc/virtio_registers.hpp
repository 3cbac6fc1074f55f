// SPDX-License-Identifier: BSD-3-Clause
// Registers and bits of virtio-mmio devices (VIRTIO 1.1, 4.2.2, 2.1 and 6).
#pragma once

#include <cstdint>

namespace hyp::virtio {

inline constexpr std::uint32_t magic_value = 0x74726976; // "virt"

// Offsets.
inline constexpr std::uint64_t magic = 0x000;
inline constexpr std::uint64_t version = 0x004;
inline constexpr std::uint64_t device_id = 0x008;
inline constexpr std::uint64_t device_features = 0x010;
inline constexpr std::uint64_t device_features_select = 0x014;
inline constexpr std::uint64_t driver_features = 0x020;
inline constexpr std::uint64_t driver_features_select = 0x024;
inline constexpr std::uint64_t queue_select = 0x030;
inline constexpr std::uint64_t queue_size_limit = 0x034;
inline constexpr std::uint64_t queue_size = 0x038;
inline constexpr std::uint64_t queue_ready = 0x044;
inline constexpr std::uint64_t queue_notify = 0x050;
inline constexpr std::uint64_t interrupt_status = 0x060;
inline constexpr std::uint64_t interrupt_acknowledge = 0x064;
inline constexpr std::uint64_t status = 0x070;
inline constexpr std::uint64_t queue_areas = 0x080; // three pairs of low and high, 16 bytes apart
inline constexpr std::uint64_t queue_areas_end = 0x0b0;

// Status.
inline constexpr std::uint32_t status_driver_ok = 4;
inline constexpr std::uint32_t status_features_ok = 8;
inline constexpr std::uint32_t status_needs_reset = 0x40; // the device's to set
inline constexpr std::uint32_t status_failed = 0x80;
inline constexpr std::uint32_t status_driver_bits = 0xff & ~status_needs_reset;

inline constexpr std::uint32_t interrupt_mask = 3; // used buffer, configuration change

// Feature bits 63:32: VERSION_1 (32) and ACCESS_PLATFORM (33) must be offered and accepted,
// NOTIFICATION_DATA (38) must not be offered (public API document).
inline constexpr std::uint32_t features_1_enforced = 3;
inline constexpr std::uint32_t features_1_forbidden = 1u << (38 - 32);

} // namespace hyp::virtio
