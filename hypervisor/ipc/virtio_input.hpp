// SPDX-License-Identifier: BSD-3-Clause
// What a virtio input device tells its driver about itself (VIRTIO 1.1, 5.8.4).
#pragma once

#include "heap/names.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace hyp {

/// Storage for what the backend sets, and the answer to the driver's two selectors. Its owner's
/// lock guards it.
class VirtioInput {
public:
    static constexpr std::uint64_t max_event_types = 32;
    static constexpr std::uint64_t max_axes = 64;
    static constexpr std::size_t max_data = 128; // bytes

    struct Identity {
        std::uint64_t device_ids; // bus type, vendor, product, version, from bits 15:0 up
        std::uint64_t properties; // bitmap
    };
    /// Makes room for so many event types and axes; data of an earlier configuration is gone.
    /// Errors: argument_size, no_memory.
    Result<> configure(const Identity&, std::uint64_t event_types, std::uint64_t axes);
    [[nodiscard]] bool configured() const { return items_ != nullptr; }
    void clear();

    /// Errors: argument_invalid (selectors), argument_size, object_configured (has data already),
    /// no_resources (more subselectors than configured), object_config (not configured).
    Result<> set_data(std::uint64_t select, std::uint64_t subselect,
                      std::span<const std::byte> data);

    /// Answers the selectors at the start of the device's configuration: fills in size and data.
    void show(std::span<std::byte> config) const;

private:
    struct Item;
    [[nodiscard]] Item* find(std::uint64_t select, std::uint64_t subselect) const;

    Identity identity_{};
    Item* items_ = nullptr; // name, serial, then room for event types and axes
    std::size_t count_ = 0;
    std::size_t event_types_ = 0;
    std::size_t axes_ = 0;
};

} // namespace hyp
