// SPDX-License-Identifier: BSD-3-Clause
// Calls on virtio-mmio devices.
#include "call_row.hpp"

namespace root {

namespace {

constexpr std::int64_t ok = GH_ERROR_OK;
constexpr std::int64_t bad = GH_ERROR_ARG_INVAL;
constexpr std::int64_t bad_size = GH_ERROR_ARG_SIZE;
constexpr std::int64_t denied = GH_ERROR_DENIED;

constexpr Argument fresh = initial(Kind::virtio);
constexpr Argument page = active(Kind::memextent, GH_RIGHT_MEMEXTENT_ATTACH);
constexpr Argument device = active(Kind::virtio, GH_RIGHT_VIRTIO_MMIO_CONFIG);
constexpr Argument asserting = active(Kind::virtio, GH_RIGHT_VIRTIO_MMIO_ASSERT_VIRQ);
constexpr Argument backend = active(Kind::virtio, GH_RIGHT_VIRTIO_MMIO_BIND_BACKEND);
constexpr Argument frontend = active(Kind::virtio, GH_RIGHT_VIRTIO_MMIO_BIND_FRONTEND);
constexpr Argument input = in_any_state(active(Kind::input, GH_RIGHT_VIRTIO_MMIO_CONFIG));
constexpr Argument vic = active(Kind::vic, GH_RIGHT_VIC_BIND_SOURCE);
constexpr Argument bad_irq = v(1ull << 32);

constexpr Row rows[] = {
    {0x49, "virtio_mmio_configure", ok, {fresh, page, v(2), v(0), v(99), v(8)}},
    {0x49, "", ok, {fresh, page, v(64), v(0x40), v(18), v(0xf00)}, " largest input device"},
    {0x49, "", bad, {fresh, page, v(0), v(0), v(0), v(8)}, " no queue"},
    {0x49, "", bad, {fresh, page, v(65), v(0), v(0), v(8)}, " too many queues"},
    {0x49, "", bad, {fresh, page, v(2), v(1), v(0), v(8)}, " reserved flags"},
    {0x49, "", bad, {fresh, page, v(2), v(0x40), v(99), v(8)}, " unknown device type"},
    {0x49, "", bad, {fresh, page, v(2), v(0), v(0), v(0xf01)}, " configuration off the page"},
    {0x49,
     "",
     bad,
     {fresh, active(Kind::ram, GH_RIGHT_MEMEXTENT_ATTACH), v(2), v(0), v(0), v(8)},
     " a large sparse extent"},
    {0x4a, "virtio_mmio_bind_backend_virq", ok, {backend, vic, v(40), zero}},
    {0x4a, "", bad, {backend, vic, bad_irq, zero}, " reserved bits"},
    {0x4b, "virtio_mmio_unbind_backend_virq", ok, {backend, zero}},
    {0x4c, "virtio_mmio_bind_frontend_virq", ok, {frontend, vic, v(40), zero}},
    {0x4c, "", bad, {frontend, vic, bad_irq, zero}, " reserved bits"},
    {0x4d, "virtio_mmio_unbind_frontend_virq", ok, {frontend, zero}},
    {0x4e, "virtio_mmio_backend_assert_virq", ok, {asserting, v(3), zero}},
    {0x4e, "", bad, {asserting, v(4), zero}, " unknown interrupt"},
    {0x4f, "virtio_mmio_backend_set_dev_features", ok, {device, v(1), v(3), zero}},
    {0x4f, "", ok, {device, v(0), v(0xffffffff), zero}, " any low features"},
    {0x4f, "", bad, {device, v(2), v(3), zero}, " no such selector"},
    {0x4f, "", bad, {device, v(0), v(1ull << 32), zero}, " features of 33 bits"},
    {0x4f, "", denied, {device, v(1), v(1), zero}, " without ACCESS_PLATFORM"},
    {0x4f, "", denied, {device, v(1), v(0x43), zero}, " with NOTIFICATION_DATA"},
    {0x50, "virtio_mmio_backend_set_queue_num_max", ok, {device, v(1), v(32768), zero}},
    {0x50, "", bad, {device, v(2), v(8), zero}, " no such queue"},
    {0x50, "", bad, {device, v(1), v(32769), zero}, " too long a queue"},
    {0x51, "virtio_mmio_backend_get_drv_features", ok, {device, v(1), zero}},
    {0x51, "", bad, {device, v(2), zero}, " no such selector"},
    {0x52, "virtio_mmio_backend_get_queue_info", ok, {device, v(1), zero}},
    {0x52, "", bad, {device, v(2), zero}, " no such queue"},
    {0x53, "virtio_mmio_backend_get_notification", ok, {device, zero}},
    {0x54, "virtio_mmio_backend_acknowledge_reset", ok, {device, zero}},
    {0x55, "virtio_mmio_backend_set_status", ok, {device, v(0x40), zero}},
    {0x55, "", bad, {device, v(0x100), zero}, " status of nine bits"},
    {0x5e, "virtio_input_configure", ok, {input, v(1), v(2), v(32), v(64), zero}},
    {0x5e, "", bad_size, {input, v(1), v(2), v(33), v(0), zero}, " too many event types"},
    {0x5e, "", bad_size, {input, v(1), v(2), v(0), v(65), zero}, " too many axes"},
    {0x5e, "", bad, {device, v(1), v(2), v(0), v(0), zero}, " no input device"},
    {0x5f, "virtio_input_set_data", ok, {input, v(1), v(0), v(128), buffer, zero}},
    {0x5f, "", ok, {input, v(0x12), v(63), v(20), buffer, zero}, " an axis"},
    {0x5f, "", bad, {input, v(3), v(0), v(8), buffer, zero}, " no such selector"},
    {0x5f, "", bad, {input, v(1), v(1), v(8), buffer, zero}, " no such subselector"},
    {0x5f, "", bad, {input, v(0x11), v(32), v(8), buffer, zero}, " no such event type"},
    {0x5f, "", bad_size, {input, v(2), v(0), v(129), buffer, zero}, " too large"},
    {0x5f, "", bad_size, {input, v(0x12), v(0), v(19), buffer, zero}, " half an axis"},
    {0x5f, "", GH_ERROR_ADDR_INVAL, {input, v(1), v(0), v(8), v(0x1000), zero}, " not mapped"},
};

} // namespace

std::span<const Row> device_rows() {
    return rows;
}

} // namespace root
