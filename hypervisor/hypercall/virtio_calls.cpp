// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on virtio-mmio devices (public API document, "Virtual IO MMIO Management" and "Virtio
// Input Config Hypercalls").
#include "hypercall/guest_buffer.hpp"
#include "hypercall/on_object.hpp"
#include "ipc/virtio_mmio.hpp"

#include <array>
#include <utility>

namespace hyp {

namespace {

/// x0 device, x1 extent, x2 queues, x3 flags, x4 device type, x5 size of its configuration.
Outcome virtio_mmio_configure(Vcpu& caller, Arguments a) {
    RT_FAIL_IF((a.x[3] & ~std::uint64_t{GH_VIRTIO_OPTION_TYPE_VALID}) != 0,
               Error::argument_invalid);
    auto device = RT_TRY(caller.cspace().lookup<VirtioMmio>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE));
    auto page = RT_TRY(caller.cspace().lookup<MemExtent>(a.x[1], GH_RIGHT_MEMEXTENT_ATTACH));
    const auto type = a.x[3] != 0 ? std::optional(a.x[4]) : std::nullopt;
    return done(device->configure(std::move(page), {a.x[2], type, a.x[5]}));
}

/// x0 device, x1 VIC, x2 interrupt, x3 zero.
template <bool Backend>
Outcome bind_side(Vcpu& caller, Arguments a) {
    constexpr auto right =
        Backend ? GH_RIGHT_VIRTIO_MMIO_BIND_BACKEND : GH_RIGHT_VIRTIO_MMIO_BIND_FRONTEND;
    return bind_source<VirtioMmio>(caller, a, right, a.x[3],
                                   [](VirtioMmio& device, Vic& vic, VirqInfo info) {
                                       return device.bind(Backend, vic, info);
                                   });
}

/// x0 device, x1 zero.
template <bool Backend>
Outcome unbind_side(Vcpu& caller, Arguments a) {
    constexpr auto right =
        Backend ? GH_RIGHT_VIRTIO_MMIO_BIND_BACKEND : GH_RIGHT_VIRTIO_MMIO_BIND_FRONTEND;
    return on_active<VirtioMmio>(caller, a, right, a.x[1],
                                 [](VirtioMmio& device) { device.unbind(Backend); });
}

/// Calls of the backend: x0 device, a reserved argument, then `action`.
template <typename Action>
Outcome by_backend(Vcpu& caller, Arguments a, std::uint64_t reserved, const Action& action) {
    return on_active<VirtioMmio>(caller, a, GH_RIGHT_VIRTIO_MMIO_CONFIG, reserved, action);
}

/// x0 device, x1 queue, x2 zero -> size, ready, descriptors, driver's area, device's area.
Outcome backend_get_queue_info(Vcpu& caller, Arguments a) {
    return by_backend(caller, a, a.x[2], [&](VirtioMmio& device) -> Outcome {
        const auto queue = RT_TRY(device.queue(a.x[1]));
        const auto& areas = queue.areas;
        return give(caller, queue.size, queue.ready ? 1U : 0U, areas[0], areas[1], areas[2]);
    });
}

/// x0 device, x1 zero -> queues, reasons.
Outcome backend_get_notification(Vcpu& caller, Arguments a) {
    return by_backend(caller, a, a.x[1], [&](VirtioMmio& device) {
        const VirtioMmio::Notification taken = device.take_notification();
        return give(caller, taken.queues, taken.reasons);
    });
}

// Input devices are configured before or after activation.

/// x0 device, x1 device IDs, x2 properties, x3 event types, x4 axes, x5 zero.
Outcome virtio_input_configure(Vcpu& caller, Arguments a) {
    return on_any<VirtioMmio>(caller, a, GH_RIGHT_VIRTIO_MMIO_CONFIG, a.x[5],
                              [&](VirtioMmio& device) {
                                  return device.configure_input({a.x[1], a.x[2]}, a.x[3], a.x[4]);
                              });
}

/// x0 device, x1 selector, x2 subselector, x3 size, x4 address, x5 zero.
Outcome virtio_input_set_data(Vcpu& caller, Arguments a) {
    return on_any<VirtioMmio>(caller, a, GH_RIGHT_VIRTIO_MMIO_CONFIG, a.x[5],
                              [&](VirtioMmio& device) -> Result<> {
                                  std::array<std::byte, VirtioInput::max_data> buffer;
                                  RT_FAIL_IF(a.x[3] > buffer.size(), Error::argument_size);
                                  const auto data = std::span(buffer).first(a.x[3]);
                                  RT_TRY(copy_from_guest(caller, VirtAddr{a.x[4]}, data));
                                  return device.set_input_data(a.x[1], a.x[2], data);
                              });
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_VIRTIO_MMIO, create<VirtioMmio>},
    {GH_VIRTIO_MMIO_CONFIGURE, entry<virtio_mmio_configure>},
    {GH_VIRTIO_MMIO_BIND_BACKEND_VIRQ, entry<bind_side<true>>},
    {GH_VIRTIO_MMIO_UNBIND_BACKEND_VIRQ, entry<unbind_side<true>>},
    {GH_VIRTIO_MMIO_BIND_FRONTEND_VIRQ, entry<bind_side<false>>},
    {GH_VIRTIO_MMIO_UNBIND_FRONTEND_VIRQ, entry<unbind_side<false>>},
    {GH_VIRTIO_MMIO_BACKEND_ASSERT_VIRQ,
     active<&VirtioMmio::assert_frontend, GH_RIGHT_VIRTIO_MMIO_ASSERT_VIRQ>},
    {GH_VIRTIO_MMIO_BACKEND_SET_DEV_FEATURES,
     active<&VirtioMmio::set_device_features, GH_RIGHT_VIRTIO_MMIO_CONFIG>},
    {GH_VIRTIO_MMIO_BACKEND_SET_QUEUE_NUM_MAX,
     active<&VirtioMmio::set_queue_size_limit, GH_RIGHT_VIRTIO_MMIO_CONFIG>},
    {GH_VIRTIO_MMIO_BACKEND_GET_DRV_FEATURES,
     active<&VirtioMmio::driver_features, GH_RIGHT_VIRTIO_MMIO_CONFIG>},
    {GH_VIRTIO_MMIO_BACKEND_GET_QUEUE_INFO, entry<backend_get_queue_info>},
    {GH_VIRTIO_MMIO_BACKEND_GET_NOTIFICATION, entry<backend_get_notification>},
    {GH_VIRTIO_MMIO_BACKEND_ACKNOWLEDGE_RESET,
     active<&VirtioMmio::acknowledge_reset, GH_RIGHT_VIRTIO_MMIO_CONFIG>},
    {GH_VIRTIO_MMIO_BACKEND_SET_STATUS,
     active<&VirtioMmio::set_status, GH_RIGHT_VIRTIO_MMIO_CONFIG>},
    {GH_VIRTIO_INPUT_CONFIGURE, entry<virtio_input_configure>},
    {GH_VIRTIO_INPUT_SET_DATA, entry<virtio_input_set_data>},
};

} // namespace

constinit const std::span<const HypercallEntry> virtio_calls = entries;

} // namespace hyp
