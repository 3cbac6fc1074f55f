// SPDX-License-Identifier: BSD-3-Clause
// Calls on virtio-mmio devices: what a backend does while a driver sets the device up.
#include "hypercall/testing/calls_fixture.hpp"

#include "ipc/virtio_mmio.hpp"
#include "ipc/virtio_registers.hpp"

namespace hyp {
namespace {

class VirtioCalls : public CallsTest {
protected:
    void SetUp() override {
        CallsTest::SetUp();
        registers_ = make_object<MemExtent>();
        ASSERT_TRUE(
            registers_->configure(fake::vm_ram.base + 32 * page_size, page_size,
                                  {GH_ACCESS_RWX, ExtentMemoryType::any, ExtentKind::basic}));
        ASSERT_TRUE(registers_->activate());
        page_ = give(registers_);
        device_ = create(GH_PARTITION_CREATE_VIRTIO_MMIO);
    }
    void TearDown() override {
        registers_ = nullptr;
        CallsTest::TearDown();
    }
    void start(std::uint64_t flags = 0, std::uint64_t type = 0) {
        EXPECT_EQ(call(GH_VIRTIO_MMIO_CONFIGURE, {device_, page_, 2, flags, type, 136}),
                  GH_ERROR_OK);
        activate(device_);
        EXPECT_EQ(call(GH_VIRTIO_MMIO_BIND_BACKEND_VIRQ, {device_, vic_, 40}), GH_ERROR_OK);
        EXPECT_EQ(call(GH_VIRTIO_MMIO_BIND_FRONTEND_VIRQ, {device_, vic_, 41}), GH_ERROR_OK);
    }
    /// A store by the driver.
    void store(std::uint64_t offset, std::uint32_t value) {
        VirtioMmio::find(registers_->range().base)->store(offset, 4, value);
    }

    Ref<MemExtent> registers_;
    CapId page_ = 0, device_ = 0;
};

TEST_F(VirtioCalls, ConfigurationIsChecked) {
    EXPECT_EQ(call(GH_VIRTIO_MMIO_CONFIGURE, {device_, page_, 2, 1, 0, 136}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_CONFIGURE, {page_, page_, 2, 0, 0, 136}),
              GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_CONFIGURE, {device_, 0, 2, 0, 0, 136}), GH_ERROR_CSPACE_CAP_NULL);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_CONFIGURE, {device_, page_, 65, 0, 0, 136}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_OBJECT_ACTIVATE, {device_, 0}), GH_ERROR_OBJECT_CONFIG);
    start();
    EXPECT_EQ(call(GH_VIRTIO_MMIO_CONFIGURE, {device_, page_, 2, 0, 0, 136}),
              GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_UNBIND_BACKEND_VIRQ, {device_, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_UNBIND_BACKEND_VIRQ, {device_}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_UNBIND_FRONTEND_VIRQ, {device_}), GH_ERROR_OK);
}

TEST_F(VirtioCalls, ABackendSeesWhatTheDriverDoes) {
    start();
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_SET_DEV_FEATURES, {device_, 0, 4}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_SET_DEV_FEATURES, {device_, 2, 4}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_SET_QUEUE_NUM_MAX, {device_, 1, 8}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_SET_QUEUE_NUM_MAX, {device_, 2, 8}), GH_ERROR_ARG_INVAL);
    store(virtio::status, 3);
    store(virtio::driver_features, 4);
    store(virtio::driver_features_select, 1);
    store(virtio::driver_features, 3);
    store(virtio::status, 11);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_GET_DRV_FEATURES, {device_, 0}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 4U);
    store(virtio::queue_select, 1);
    store(virtio::queue_size, 8);
    store(virtio::queue_areas + 0x10, 0x1000);
    store(virtio::queue_ready, 1);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_GET_QUEUE_INFO, {device_, 1}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 8U);
    EXPECT_EQ(x(2), 1U);
    EXPECT_EQ(x(4), 0x1000U);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_GET_QUEUE_INFO, {device_, 2}), GH_ERROR_ARG_INVAL);
    store(virtio::queue_notify, 1);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_GET_NOTIFICATION, {device_}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 2U);
    EXPECT_EQ(x(2), GH_VIRTIO_NOTIFY_NEW_BUFFER);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_ASSERT_VIRQ, {device_, 1}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_ASSERT_VIRQ, {device_, 4}), GH_ERROR_ARG_INVAL);
    store(virtio::status, 0);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_ASSERT_VIRQ, {device_, 1}), GH_ERROR_DENIED);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_ACKNOWLEDGE_RESET, {device_}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VIRTIO_MMIO_BACKEND_SET_STATUS, {device_, virtio::status_needs_reset}),
              GH_ERROR_OK);
}

TEST_F(VirtioCalls, AnInputDeviceGetsItsDataFromTheVmsMemory) {
    start(GH_VIRTIO_OPTION_TYPE_VALID, GH_VIRTIO_DEVICE_INPUT);
    EXPECT_EQ(call(GH_VIRTIO_INPUT_CONFIGURE, {device_, 1, 0, 2, 1}), GH_ERROR_OK);
    constexpr std::uint64_t name = 1; // VIRTIO 1.1, 5.8.2: ID_NAME
    byte_at(memory + 8) = 'k';
    EXPECT_EQ(call(GH_VIRTIO_INPUT_SET_DATA, {device_, name, 0, 129, memory + 8}),
              GH_ERROR_ARG_SIZE);
    EXPECT_EQ(call(GH_VIRTIO_INPUT_SET_DATA, {device_, name, 0, 1, nowhere}), GH_ERROR_ADDR_INVAL);
    EXPECT_EQ(call(GH_VIRTIO_INPUT_SET_DATA, {device_, name, 0, 1, memory + 8}), GH_ERROR_OK);
    VirtioMmio::find(registers_->range().base)->store(0x100, 1, name);
    const auto* config = static_cast<std::uint8_t*>(phys_to_virt(registers_->range().base)) + 0x100;
    EXPECT_EQ(config[2], 1U) << "its size";
    EXPECT_EQ(config[8], 'k');
}

} // namespace
} // namespace hyp
