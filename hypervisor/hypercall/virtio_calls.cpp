// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on virtio-mmio devices (public API document, "Virtual IO MMIO Management" and "Virtio
// Input Config Hypercalls").
#include "hypercall/create.hpp"
#include "hypercall/guest_buffer.hpp"
#include "hypercall/handler.hpp"
#include "interrupt/vic.hpp"
#include "ipc/virtio_mmio.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

#include <array>
#include <utility>

namespace hyp {

using rt::Error;
using rt::fail;
using rt::Result;

namespace {

using Device = Result<Ref<VirtioMmio>>;

Device look_up(Vcpu& caller, CapId id, std::uint32_t right, std::uint64_t reserved) {
    if (auto zero = require_zero(reserved); !zero) {
        return fail(zero.error());
    }
    return caller.cspace().lookup_active<VirtioMmio>(id, right);
}

/// x0 device, x1 extent, x2 queues, x3 flags, x4 device type, x5 size of its configuration.
Result<Outputs> virtio_mmio_configure(Vcpu& caller, const Arguments& a) {
    if ((a.x[3] & ~std::uint64_t{GH_VIRTIO_OPTION_TYPE_VALID}) != 0) {
        return fail(Error::argument_invalid);
    }
    auto device = caller.cspace().lookup<VirtioMmio>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE);
    if (!device) {
        return fail(device.error());
    }
    auto page = caller.cspace().lookup<MemExtent>(a.x[1], GH_RIGHT_MEMEXTENT_ATTACH);
    if (!page) {
        return fail(page.error());
    }
    const auto type = a.x[3] != 0 ? std::optional(a.x[4]) : std::nullopt;
    return done((*device)->configure(std::move(*page), {a.x[2], type, a.x[5]}));
}

/// x0 device, x1 VIC, x2 interrupt, x3 zero.
template <bool Backend>
Result<Outputs> bind_virq(Vcpu& caller, const Arguments& a) {
    constexpr auto right =
        Backend ? GH_RIGHT_VIRTIO_MMIO_BIND_BACKEND : GH_RIGHT_VIRTIO_MMIO_BIND_FRONTEND;
    auto device = look_up(caller, a.x[0], right, a.x[3]);
    if (!device) {
        return fail(device.error());
    }
    auto vic = caller.cspace().lookup_active<Vic>(a.x[1], GH_RIGHT_VIC_BIND_SOURCE);
    if (!vic) {
        return fail(vic.error());
    }
    const auto info = VirqInfo::decode(a.x[2]);
    return info ? done((*device)->bind(Backend, **vic, *info)) : fail(info.error());
}

/// x0 device, x1 zero.
template <bool Backend>
Result<Outputs> unbind_virq(Vcpu& caller, const Arguments& a) {
    constexpr auto right =
        Backend ? GH_RIGHT_VIRTIO_MMIO_BIND_BACKEND : GH_RIGHT_VIRTIO_MMIO_BIND_FRONTEND;
    auto device = look_up(caller, a.x[0], right, a.x[1]);
    if (!device) {
        return fail(device.error());
    }
    (*device)->unbind(Backend);
    return Outputs{};
}

/// x0 device, x1 interrupt status, x2 zero.
Result<Outputs> backend_assert_virq(Vcpu& caller, const Arguments& a) {
    auto device = look_up(caller, a.x[0], GH_RIGHT_VIRTIO_MMIO_ASSERT_VIRQ, a.x[2]);
    return device ? done((*device)->assert_frontend(a.x[1])) : fail(device.error());
}

/// x0 device, x1 selector, x2 features, x3 zero.
Result<Outputs> backend_set_dev_features(Vcpu& caller, const Arguments& a) {
    auto device = look_up(caller, a.x[0], GH_RIGHT_VIRTIO_MMIO_CONFIG, a.x[3]);
    return device ? done((*device)->set_device_features(a.x[1], a.x[2])) : fail(device.error());
}

/// x0 device, x1 queue, x2 size, x3 zero.
Result<Outputs> backend_set_queue_num_max(Vcpu& caller, const Arguments& a) {
    auto device = look_up(caller, a.x[0], GH_RIGHT_VIRTIO_MMIO_CONFIG, a.x[3]);
    return device ? done((*device)->set_queue_size_limit(a.x[1], a.x[2])) : fail(device.error());
}

/// x0 device, x1 selector, x2 zero -> features.
Result<Outputs> backend_get_drv_features(Vcpu& caller, const Arguments& a) {
    auto device = look_up(caller, a.x[0], GH_RIGHT_VIRTIO_MMIO_CONFIG, a.x[2]);
    if (!device) {
        return fail(device.error());
    }
    const auto features = (*device)->driver_features(a.x[1]);
    return features ? Result<Outputs>(Outputs{*features}) : fail(features.error());
}

/// x0 device, x1 queue, x2 zero -> size, ready, descriptors, driver's area, device's area.
Result<Outputs> backend_get_queue_info(Vcpu& caller, const Arguments& a) {
    auto device = look_up(caller, a.x[0], GH_RIGHT_VIRTIO_MMIO_CONFIG, a.x[2]);
    if (!device) {
        return fail(device.error());
    }
    const auto queue = (*device)->queue(a.x[1]);
    if (!queue) {
        return fail(queue.error());
    }
    const auto& areas = queue->areas;
    return Outputs{queue->size, queue->ready ? 1U : 0U, areas[0], areas[1], areas[2]};
}

/// x0 device, x1 zero -> queues, reasons.
Result<Outputs> backend_get_notification(Vcpu& caller, const Arguments& a) {
    auto device = look_up(caller, a.x[0], GH_RIGHT_VIRTIO_MMIO_CONFIG, a.x[1]);
    if (!device) {
        return fail(device.error());
    }
    const VirtioMmio::Notification taken = (*device)->take_notification();
    return Outputs{taken.queues, taken.reasons};
}

/// x0 device, x1 zero.
Result<Outputs> backend_acknowledge_reset(Vcpu& caller, const Arguments& a) {
    auto device = look_up(caller, a.x[0], GH_RIGHT_VIRTIO_MMIO_CONFIG, a.x[1]);
    if (!device) {
        return fail(device.error());
    }
    (*device)->acknowledge_reset();
    return Outputs{};
}

/// x0 device, x1 status, x2 zero.
Result<Outputs> backend_set_status(Vcpu& caller, const Arguments& a) {
    auto device = look_up(caller, a.x[0], GH_RIGHT_VIRTIO_MMIO_CONFIG, a.x[2]);
    return device ? done((*device)->set_status(a.x[1])) : fail(device.error());
}

/// Input devices are configured before or after activation.
Device look_up_input(Vcpu& caller, CapId id, std::uint64_t reserved) {
    if (auto zero = require_zero(reserved); !zero) {
        return fail(zero.error());
    }
    return caller.cspace().lookup<VirtioMmio>(id, GH_RIGHT_VIRTIO_MMIO_CONFIG);
}

/// x0 device, x1 device IDs, x2 properties, x3 event types, x4 axes, x5 zero.
Result<Outputs> virtio_input_configure(Vcpu& caller, const Arguments& a) {
    auto device = look_up_input(caller, a.x[0], a.x[5]);
    return device ? done((*device)->configure_input({a.x[1], a.x[2]}, a.x[3], a.x[4]))
                  : fail(device.error());
}

/// x0 device, x1 selector, x2 subselector, x3 size, x4 address, x5 zero.
Result<Outputs> virtio_input_set_data(Vcpu& caller, const Arguments& a) {
    auto device = look_up_input(caller, a.x[0], a.x[5]);
    if (!device) {
        return fail(device.error());
    }
    std::array<std::byte, VirtioInput::max_data> buffer;
    if (a.x[3] > buffer.size()) {
        return fail(Error::argument_size);
    }
    const auto data = std::span(buffer).first(a.x[3]);
    if (auto copied = copy_from_guest(caller, VirtAddr{a.x[4]}, data); !copied) {
        return fail(copied.error());
    }
    return done((*device)->set_input_data(a.x[1], a.x[2], data));
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_VIRTIO_MMIO, create_object<VirtioMmio>},
    {GH_VIRTIO_MMIO_CONFIGURE, virtio_mmio_configure},
    {GH_VIRTIO_MMIO_BIND_BACKEND_VIRQ, bind_virq<true>},
    {GH_VIRTIO_MMIO_UNBIND_BACKEND_VIRQ, unbind_virq<true>},
    {GH_VIRTIO_MMIO_BIND_FRONTEND_VIRQ, bind_virq<false>},
    {GH_VIRTIO_MMIO_UNBIND_FRONTEND_VIRQ, unbind_virq<false>},
    {GH_VIRTIO_MMIO_BACKEND_ASSERT_VIRQ, backend_assert_virq},
    {GH_VIRTIO_MMIO_BACKEND_SET_DEV_FEATURES, backend_set_dev_features},
    {GH_VIRTIO_MMIO_BACKEND_SET_QUEUE_NUM_MAX, backend_set_queue_num_max},
    {GH_VIRTIO_MMIO_BACKEND_GET_DRV_FEATURES, backend_get_drv_features},
    {GH_VIRTIO_MMIO_BACKEND_GET_QUEUE_INFO, backend_get_queue_info},
    {GH_VIRTIO_MMIO_BACKEND_GET_NOTIFICATION, backend_get_notification},
    {GH_VIRTIO_MMIO_BACKEND_ACKNOWLEDGE_RESET, backend_acknowledge_reset},
    {GH_VIRTIO_MMIO_BACKEND_SET_STATUS, backend_set_status},
    {GH_VIRTIO_INPUT_CONFIGURE, virtio_input_configure},
    {GH_VIRTIO_INPUT_SET_DATA, virtio_input_set_data},
};

} // namespace

std::span<const HypercallEntry> virtio_calls() {
    return entries;
}

} // namespace hyp
