// SPDX-License-Identifier: BSD-3-Clause
// The items of a virtio input device: few, so they are looked for one after the other.
#include "ipc/virtio_input.hpp"

#include "heap/heap.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

namespace hyp {

namespace {

// enum virtio_input_config_select.
constexpr std::uint64_t id_name = 1;
constexpr std::uint64_t id_serial = 2;
constexpr std::uint64_t id_devids = 3;
constexpr std::uint64_t prop_bits = 0x10;
constexpr std::uint64_t ev_bits = 0x11;
constexpr std::uint64_t abs_info = 0x12;

constexpr std::size_t abs_info_size = 20;

// struct virtio_input_config: select, subsel, size, five reserved bytes, data.
constexpr std::size_t select_at = 0;
constexpr std::size_t subselect_at = 1;
constexpr std::size_t size_at = 2;
constexpr std::size_t data_at = 8;

Result<> check(std::uint64_t select, std::uint64_t subselect, std::size_t size) {
    const std::uint64_t subselectors = select == id_name || select == id_serial ? 1
                                       : select == ev_bits  ? VirtioInput::max_event_types
                                       : select == abs_info ? VirtioInput::max_axes
                                                            : 0;
    RT_FAIL_IF(subselect >= subselectors, Error::argument_invalid);
    RT_FAIL_IF(select == abs_info ? size != abs_info_size : size > VirtioInput::max_data,
               Error::argument_size);
    return {};
}

} // namespace

struct VirtioInput::Item {
    std::uint8_t select = 0; // 0: free
    std::uint8_t subselect = 0;
    std::uint8_t size = 0;
    std::array<std::byte, max_data> data{};
};

Result<> VirtioInput::configure(const Identity& identity, std::uint64_t event_types,
                                std::uint64_t axes) {
    RT_FAIL_IF(event_types > max_event_types || axes > max_axes, Error::argument_size);
    const std::size_t count = 2 + event_types + axes;
    auto* items = static_cast<Item*>(heap().allocate(count * sizeof(Item)));
    RT_FAIL_IF(items == nullptr, Error::no_memory);
    std::uninitialized_value_construct_n(items, count);
    clear();
    identity_ = identity;
    items_ = items;
    count_ = count;
    event_types_ = event_types;
    axes_ = axes;
    return {};
}

void VirtioInput::clear() {
    heap().release(items_);
    items_ = nullptr;
    count_ = 0;
}

VirtioInput::Item* VirtioInput::find(std::uint64_t select, std::uint64_t subselect) const {
    for (Item& item : std::span(items_, count_)) {
        if (item.select == select && item.subselect == subselect) {
            return &item;
        }
    }
    return nullptr;
}

Result<> VirtioInput::set_data(std::uint64_t select, std::uint64_t subselect,
                               std::span<const std::byte> data) {
    RT_TRY(check(select, subselect, data.size()));
    RT_FAIL_IF(!configured(), Error::object_config);
    RT_FAIL_IF(find(select, subselect) != nullptr, Error::object_configured);
    if (data.empty()) {
        return {}; // as if it were not there, which takes no room
    }
    const auto items = std::span(items_, count_);
    const auto used = std::count_if(items.begin(), items.end(),
                                    [&](const Item& item) { return item.select == select; });
    const std::size_t room = select == ev_bits ? event_types_ : select == abs_info ? axes_ : 1;
    RT_FAIL_IF(static_cast<std::size_t>(used) >= room, Error::no_resources);
    Item& item = *find(0, 0);
    item.select = static_cast<std::uint8_t>(select);
    item.subselect = static_cast<std::uint8_t>(subselect);
    item.size = static_cast<std::uint8_t>(data.size());
    std::copy(data.begin(), data.end(), item.data.begin());
    return {};
}

void VirtioInput::show(std::span<std::byte> config) const {
    if (config.size() < data_at) {
        return;
    }
    const auto select = std::to_integer<std::uint64_t>(config[select_at]);
    const auto subselect = std::to_integer<std::uint64_t>(config[subselect_at]);
    std::array<std::byte, max_data> data{};
    std::size_t size = 0;
    const Item* item = select != 0 ? find(select, subselect) : nullptr;
    if (item != nullptr) {
        size = item->size;
        data = item->data;
    } else if (subselect == 0 && (select == id_devids || select == prop_bits)) {
        const std::uint64_t word =
            select == id_devids ? identity_.device_ids : identity_.properties;
        size = select == id_devids ? sizeof(word)
                                   : (static_cast<std::size_t>(std::bit_width(word)) + 7) / 8;
        std::memcpy(data.data(), &word, sizeof(word));
    }
    const auto out = config.subspan(data_at);
    size = std::min(size, out.size());
    std::copy_n(data.begin(), std::min(out.size(), data.size()), out.begin());
    config[size_at] = static_cast<std::byte>(size);
}

} // namespace hyp
