// SPDX-License-Identifier: BSD-3-Clause
// virtio-mmio devices: what a driver's stores do, and what the backend sees of them.
#include "ipc/virtio_mmio.hpp"

#include "interrupt/testing/test_vm.hpp"
#include "ipc/virtio_registers.hpp"

#include <abi/hypercall.h>
#include <arch/physmap.hpp>

#include <cstring>

namespace hyp {
namespace {

constexpr std::uint32_t backend_irq = 40;
constexpr std::uint32_t frontend_irq = 41;

class VirtioTest : public fake::VicTest {
protected:
    void SetUp() override {
        VicTest::SetUp();
        make_vm(1);
        page = make_object<MemExtent>();
        ASSERT_TRUE(page->configure(fake::vm_ram.base, page_size,
                                    {GH_ACCESS_RWX, ExtentMemoryType::any, ExtentKind::basic}));
        ASSERT_TRUE(page->activate());
        device = make_object<VirtioMmio>();
    }
    void TearDown() override {
        device.clear();
        page.clear();
        VicTest::TearDown();
    }
    void start(std::optional<std::uint64_t> type = std::nullopt) {
        ASSERT_TRUE(
            device->configure(page, {.queues = 2, .device_type = type, .config_size = 136}));
        ASSERT_TRUE(device->activate());
        enable(backend_irq, 0xa0, false);
        enable(frontend_irq, 0xa0, false);
        ASSERT_TRUE(device->bind(true, *vic, {backend_irq, 0}));
        ASSERT_TRUE(device->bind(false, *vic, {frontend_irq, 0}));
    }
    [[nodiscard]] std::uint32_t shown(std::uint64_t offset) const {
        std::uint32_t value = 0;
        std::memcpy(&value,
                    static_cast<const std::byte*>(phys_to_virt(page->range().base)) + offset,
                    sizeof(value));
        return value;
    }
    void store(std::uint64_t offset, std::uint32_t value) { device->store(offset, 4, value); }
    bool pending(std::uint32_t intid) { return bit(0, fake::ispendr, intid); }

    Ref<MemExtent> page;
    Ref<VirtioMmio> device;
};

TEST_F(VirtioTest, IsFoundByItsPage) {
    EXPECT_EQ(device->activate().error(), rt::Error::object_config);
    start();
    EXPECT_EQ(VirtioMmio::find(page->range().base + 0x50), device);
    EXPECT_FALSE(VirtioMmio::find(page->range().end()));
    EXPECT_EQ(shown(virtio::magic), virtio::magic_value);
    device.clear();
    EXPECT_FALSE(VirtioMmio::find(page->range().base));
}

TEST_F(VirtioTest, FeaturesMustAgree) {
    start();
    EXPECT_EQ(device->set_device_features(1, 1).error(), rt::Error::denied);
    ASSERT_TRUE(device->set_device_features(0, 4));
    store(virtio::driver_features, 8); // not offered
    store(virtio::driver_features_select, 1);
    store(virtio::driver_features, 3);
    store(virtio::status, 11);
    EXPECT_EQ(shown(virtio::status), 3U);
    store(virtio::driver_features_select, 0);
    store(virtio::driver_features, 4);
    store(virtio::status, 11);
    EXPECT_EQ(shown(virtio::status), 11U);
    store(virtio::driver_features, 0);
    EXPECT_EQ(*device->driver_features(0), 4U) << "fixed by FEATURES_OK";
}

TEST_F(VirtioTest, AReadyQueueKeepsItsPlace) {
    start();
    ASSERT_TRUE(device->set_queue_size_limit(0, 8));
    store(virtio::queue_ready, 1);
    EXPECT_EQ(shown(virtio::queue_ready), 0U) << "it has no size yet";
    store(virtio::queue_size, 9);
    store(virtio::queue_ready, 1);
    EXPECT_EQ(shown(virtio::queue_ready), 0U) << "over the limit";
    store(virtio::queue_size, 8);
    store(virtio::queue_areas + 0x24, 5);
    store(virtio::queue_areas + 8, 5); // no register
    store(virtio::queue_ready, 1);
    store(virtio::queue_areas + 0x20, 7);
    const auto queue = device->queue(0);
    ASSERT_TRUE(queue && queue->ready);
    EXPECT_EQ(queue->areas[2], std::uint64_t{5} << 32);
    store(virtio::queue_select, 2);
    EXPECT_EQ(shown(virtio::queue_size_limit), 0U) << "no such queue";
    store(virtio::queue_ready, 1);
}

TEST_F(VirtioTest, InterruptsStayUntilServed) {
    start();
    store(virtio::queue_notify, 1);
    store(virtio::queue_notify, 2); // no such queue
    EXPECT_TRUE(pending(backend_irq));
    const auto taken = device->take_notification();
    EXPECT_EQ(taken.queues, 2U);
    EXPECT_EQ(taken.reasons, GH_VIRTIO_NOTIFY_NEW_BUFFER);
    EXPECT_FALSE(pending(backend_irq));
    ASSERT_TRUE(device->assert_frontend(3));
    EXPECT_TRUE(pending(frontend_irq));
    store(virtio::interrupt_acknowledge, 1);
    EXPECT_TRUE(pending(frontend_irq));
    EXPECT_EQ(shown(virtio::interrupt_status), 2U);
    store(virtio::interrupt_acknowledge, 2);
    EXPECT_FALSE(pending(frontend_irq));
}

TEST_F(VirtioTest, ResetWaitsForTheBackend) {
    start();
    store(virtio::status, 0);
    EXPECT_FALSE(pending(backend_irq)) << "it is in reset already";
    store(virtio::status, 3);
    ASSERT_TRUE(device->assert_frontend(1));
    store(virtio::status, 0);
    EXPECT_EQ(device->take_notification().reasons, GH_VIRTIO_NOTIFY_RESET);
    store(virtio::status, 7);
    EXPECT_EQ(shown(virtio::status), 3U);
    EXPECT_EQ(device->assert_frontend(1).error(), rt::Error::denied);
    device->acknowledge_reset();
    EXPECT_EQ(shown(virtio::status), 0U);
    EXPECT_FALSE(pending(frontend_irq));
    ASSERT_TRUE(device->set_status(virtio::status_needs_reset));
    EXPECT_EQ(shown(virtio::status), virtio::status_needs_reset);
}

TEST_F(VirtioTest, AnInputDeviceStartsOnceConfigured) {
    start(GH_VIRTIO_DEVICE_INPUT);
    EXPECT_EQ(shown(virtio::device_id), GH_VIRTIO_DEVICE_INPUT);
    store(virtio::status, 1);
    EXPECT_EQ(shown(virtio::status), 0U);
    ASSERT_TRUE(device->configure_input({.device_ids = 1, .properties = 0}, 0, 0));
    ASSERT_TRUE(device->configure_input({.device_ids = 2, .properties = 0}, 0, 1));
    store(virtio::status, 1);
    EXPECT_EQ(shown(virtio::status), 1U);
    std::array<std::byte, 20> axis{std::byte{9}};
    ASSERT_TRUE(device->set_input_data(0x12, 5, axis));
    EXPECT_EQ(device->set_input_data(0x12, 6, axis).error(), rt::Error::no_resources);
    ASSERT_TRUE(device->set_input_data(0x11, 6, {})) << "no data takes no room";
    device->store(0x101, 1, 5);
    device->store(0x100, 1, 0x12);
    EXPECT_EQ(shown(0x100), 0x140512U);
    EXPECT_EQ(shown(0x108), 9U);
    device->store(0x100, 1, 3);
    EXPECT_EQ(shown(0x100), 0x0503U) << "identities have no subselector";
    device->store(0x101, 1, 0);
    EXPECT_EQ(shown(0x108), 2U);
    device->store(0x187, 8, ~std::uint64_t{0}); // over the end: ignored
}

} // namespace
} // namespace hyp
