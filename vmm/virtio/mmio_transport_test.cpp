// SPDX-License-Identifier: BSD-3-Clause
// Tests of MmioTransport: the register model, negotiation, interrupts, broken drivers.
#include "virtio/mmio_transport.hpp"

#include <gtest/gtest.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include "virtio/test_driver.hpp"

namespace vmm {
namespace {

using test::TestDriver;

constexpr std::uint8_t driver_up =
    VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK;
constexpr std::uint32_t version_1_high = 1U << (VIRTIO_F_VERSION_1 - 32);

// Counts what the transport asks of it and gives every chain straight back.
class EchoDevice : public VirtioDevice {
public:
    [[nodiscard]] std::uint32_t device_id() const override { return 42; }
    [[nodiscard]] std::uint64_t features() const override { return 0x5; }
    [[nodiscard]] std::span<const std::uint16_t> queue_sizes() const override { return sizes_; }
    [[nodiscard]] std::span<const std::byte> config() const override { return config_; }
    std::expected<bool, QueueError> process(unsigned /*index*/, Virtqueue& queue) override {
        return drain(queue, [this](DescriptorChain&) {
            ++handled;
            return std::expected<std::uint32_t, QueueError>{0};
        });
    }
    bool take_config_change() override { return std::exchange(config_changed, false); }
    void reset() override { ++resets; }

    bool config_changed = false;
    unsigned handled = 0;
    unsigned resets = 0;

private:
    std::array<std::uint16_t, 2> sizes_{4, 8};
    std::array<std::byte, 6> config_{std::byte{1}, std::byte{2}, std::byte{3},
                                     std::byte{4}, std::byte{5}, std::byte{6}};
};

class MmioTransportTest : public testing::Test {
protected:
    std::uint32_t get(std::uint64_t offset) {
        return static_cast<std::uint32_t>(transport.read(offset, 4));
    }
    void set(std::uint64_t offset, std::uint32_t value) { transport.write(offset, 4, value); }

    void negotiate(std::uint32_t low) {
        set(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
        set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
        set(VIRTIO_MMIO_DRIVER_FEATURES, low);
        set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
        set(VIRTIO_MMIO_DRIVER_FEATURES, version_1_high);
        set(VIRTIO_MMIO_STATUS, driver_up);
    }
    void set_up_queue(std::uint32_t index, const QueueLayout& layout) {
        set(VIRTIO_MMIO_QUEUE_SEL, index);
        set(VIRTIO_MMIO_QUEUE_NUM, layout.size);
        set(VIRTIO_MMIO_QUEUE_DESC_LOW, static_cast<std::uint32_t>(layout.descriptors));
        set(VIRTIO_MMIO_QUEUE_DESC_HIGH, static_cast<std::uint32_t>(layout.descriptors >> 32));
        set(VIRTIO_MMIO_QUEUE_AVAIL_LOW, static_cast<std::uint32_t>(layout.available));
        set(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0);
        set(VIRTIO_MMIO_QUEUE_USED_LOW, static_cast<std::uint32_t>(layout.used));
        set(VIRTIO_MMIO_QUEUE_USED_HIGH, 0);
        set(VIRTIO_MMIO_QUEUE_READY, 1);
    }
    void bring_up() {
        negotiate(0x5);
        set_up_queue(0, driver.layout());
        set(VIRTIO_MMIO_STATUS, driver_up | VIRTIO_CONFIG_S_DRIVER_OK);
    }
    void offer_one() {
        driver.describe(0, {TestDriver::buffers, 4, 0, 0});
        driver.offer(0);
    }

    TestDriver driver{4};
    EchoDevice device;
    unsigned interrupts = 0;
    std::vector<unsigned> kicks;
    std::string fault;
    MmioTransport transport{
        device, driver.memory(),
        TransportEvents{.interrupt = [this] { ++interrupts; },
                        .kick = [this](unsigned queue) { kicks.push_back(queue); },
                        .fault = [this](std::string_view why) { fault = why; }}};
};

TEST_F(MmioTransportTest, IntroducesItself) {
    EXPECT_EQ(get(VIRTIO_MMIO_MAGIC_VALUE), 0x74726976U);
    EXPECT_EQ(get(VIRTIO_MMIO_VERSION), 2U);
    EXPECT_EQ(get(VIRTIO_MMIO_DEVICE_ID), 42U);
    EXPECT_EQ(get(VIRTIO_MMIO_STATUS), 0U);
    EXPECT_EQ(get(VIRTIO_MMIO_SHM_LEN_LOW), 0xffffffffU);
    EXPECT_EQ(get(0x1c), 0U); // reserved
}

TEST_F(MmioTransportTest, OffersDeviceAndRingFeatures) {
    EXPECT_EQ(get(VIRTIO_MMIO_DEVICE_FEATURES), 0x3000'0005U);
    set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
    EXPECT_EQ(get(VIRTIO_MMIO_DEVICE_FEATURES), version_1_high);
    set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 2);
    EXPECT_EQ(get(VIRTIO_MMIO_DEVICE_FEATURES), 0U);
}

TEST_F(MmioTransportTest, AcceptsOnlyOfferedFeaturesWithVersion1) {
    negotiate(0x1);
    EXPECT_EQ(get(VIRTIO_MMIO_STATUS), driver_up);
    set(VIRTIO_MMIO_STATUS, 0);
    negotiate(0x2); // not offered
    EXPECT_EQ(get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK, 0U);
    set(VIRTIO_MMIO_STATUS, 0);
    set(VIRTIO_MMIO_STATUS, driver_up); // a legacy driver
    EXPECT_EQ(get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK, 0U);
}

TEST_F(MmioTransportTest, FeaturesAreFixedOnceAgreed) {
    negotiate(0x1);
    set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
    set(VIRTIO_MMIO_DRIVER_FEATURES, 0xffff);
    set(VIRTIO_MMIO_STATUS, driver_up);
    EXPECT_EQ(get(VIRTIO_MMIO_STATUS), driver_up);
}

TEST_F(MmioTransportTest, ReadsConfigurationInAnySizeAndZeroBehindIt) {
    EXPECT_EQ(transport.read(VIRTIO_MMIO_CONFIG, 1), 0x01U);
    EXPECT_EQ(transport.read(VIRTIO_MMIO_CONFIG + 2, 2), 0x0403U);
    EXPECT_EQ(transport.read(VIRTIO_MMIO_CONFIG, 8), 0x0605'0403'0201U);
    EXPECT_EQ(transport.read(VIRTIO_MMIO_CONFIG + 4, 4), 0x0605U);
    EXPECT_EQ(transport.read(VIRTIO_MMIO_CONFIG + 6, 4), 0U);
    EXPECT_EQ(transport.read(VIRTIO_MMIO_CONFIG + 0xf8, 8), 0U);
}

TEST_F(MmioTransportTest, IgnoresAccessesOfOtherSizes) {
    EXPECT_EQ(transport.read(VIRTIO_MMIO_MAGIC_VALUE, 1), 0U);
    EXPECT_EQ(transport.read(VIRTIO_MMIO_MAGIC_VALUE + 1, 4), 0U);
    transport.write(VIRTIO_MMIO_STATUS, 1, 1);
    EXPECT_EQ(get(VIRTIO_MMIO_STATUS), 0U);
}

TEST_F(MmioTransportTest, HasTheQueuesOfTheDevice) {
    EXPECT_EQ(get(VIRTIO_MMIO_QUEUE_NUM_MAX), 4U);
    set(VIRTIO_MMIO_QUEUE_SEL, 1);
    EXPECT_EQ(get(VIRTIO_MMIO_QUEUE_NUM_MAX), 8U);
    set(VIRTIO_MMIO_QUEUE_SEL, 2);
    EXPECT_EQ(get(VIRTIO_MMIO_QUEUE_NUM_MAX), 0U);
    set(VIRTIO_MMIO_QUEUE_READY, 1); // no such queue: nothing happens
    EXPECT_EQ(get(VIRTIO_MMIO_QUEUE_READY), 0U);
}

TEST_F(MmioTransportTest, MovesChainsAndInterrupts) {
    bring_up();
    EXPECT_EQ(get(VIRTIO_MMIO_QUEUE_READY), 1U);
    offer_one();
    EXPECT_FALSE(transport.service(0));
    EXPECT_EQ(device.handled, 1U);
    EXPECT_EQ(driver.used_index(), 1U);
    EXPECT_EQ(interrupts, 1U);
    EXPECT_EQ(get(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING);
}

TEST_F(MmioTransportTest, TellsOfAConfigurationThatTheDeviceChanged) {
    bring_up();
    const std::uint32_t generation = get(VIRTIO_MMIO_CONFIG_GENERATION);
    device.config_changed = true;
    transport.service(0);
    EXPECT_EQ(get(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
    EXPECT_EQ(interrupts, 1U);
    EXPECT_EQ(get(VIRTIO_MMIO_CONFIG_GENERATION), generation + 1);
    transport.service(0);
    EXPECT_EQ(get(VIRTIO_MMIO_CONFIG_GENERATION), generation + 1);
}

TEST_F(MmioTransportTest, ServesNothingBeforeTheDriverIsUp) {
    negotiate(0x5);
    set_up_queue(0, driver.layout());
    offer_one();
    EXPECT_FALSE(transport.service(0));
    EXPECT_EQ(device.handled, 0U);
    EXPECT_FALSE(transport.service(7));
}

// The wire carries edges: one when the status leaves 0, none while it is pending anyway, and a new
// one after the acknowledgement.
TEST_F(MmioTransportTest, SendsAnEdgePerPendingPeriod) {
    bring_up();
    offer_one();
    transport.service(0);
    offer_one();
    transport.service(0);
    EXPECT_EQ(interrupts, 1U);
    set(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
    EXPECT_EQ(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0U);
    offer_one();
    transport.service(0);
    EXPECT_EQ(interrupts, 2U);
}

TEST_F(MmioTransportTest, SendsAnotherEdgeWhenAnAcknowledgementLeavesSomething) {
    bring_up();
    offer_one();
    transport.service(0);
    driver.set_available(60'000);
    transport.service(0); // breaks the device: the configuration change joins the used buffer
    EXPECT_EQ(get(VIRTIO_MMIO_INTERRUPT_STATUS),
              std::uint32_t{VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG});
    EXPECT_EQ(interrupts, 1U);
    set(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
    EXPECT_EQ(interrupts, 2U);
    set(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);
    EXPECT_EQ(interrupts, 2U);
}

TEST_F(MmioTransportTest, ABrokenRingNeedsAResetAndAResetHelps) {
    bring_up();
    driver.set_available(60'000);
    EXPECT_FALSE(transport.service(0));
    EXPECT_NE(get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET, 0U);
    EXPECT_FALSE(fault.empty());
    offer_one();
    transport.service(0);
    EXPECT_EQ(device.handled, 0U);
    EXPECT_EQ(device.resets, 1U) << "it waits for nothing any more";

    set(VIRTIO_MMIO_STATUS, 0);
    EXPECT_EQ(device.resets, 2U);
    EXPECT_EQ(get(VIRTIO_MMIO_STATUS), 0U);
    EXPECT_EQ(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0U);
    EXPECT_EQ(get(VIRTIO_MMIO_QUEUE_READY), 0U);
    driver.set_available(0);
    bring_up();
    offer_one();
    transport.service(0);
    EXPECT_EQ(device.handled, 1U);
}

TEST_F(MmioTransportTest, RefusesImpossibleQueues) {
    for (const auto change :
         {+[](QueueLayout& layout) { layout.size = 8; }, // more than the maximum
          +[](QueueLayout& layout) { layout.size = 3; },
          +[](QueueLayout& layout) { layout.descriptors = 0; },
          +[](QueueLayout& layout) { layout.descriptors |= 1ULL << 40; },
          +[](QueueLayout& layout) { layout.used += 1; }}) {
        set(VIRTIO_MMIO_STATUS, 0);
        negotiate(0x5);
        QueueLayout layout = driver.layout();
        change(layout);
        set_up_queue(0, layout);
        EXPECT_EQ(get(VIRTIO_MMIO_QUEUE_READY), 0U);
        EXPECT_NE(get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET, 0U);
    }
}

TEST_F(MmioTransportTest, AReadyQueueKeepsItsAddresses) {
    bring_up();
    set(VIRTIO_MMIO_QUEUE_DESC_LOW, 0);
    set(VIRTIO_MMIO_QUEUE_NUM, 1);
    offer_one();
    transport.service(0);
    EXPECT_EQ(device.handled, 1U);
    set(VIRTIO_MMIO_QUEUE_READY, 0);
    offer_one();
    transport.service(0);
    EXPECT_EQ(device.handled, 1U);
}

TEST_F(MmioTransportTest, PassesKicksOfExistingQueuesOn) {
    set(VIRTIO_MMIO_QUEUE_NOTIFY, 1);
    set(VIRTIO_MMIO_QUEUE_NOTIFY, 2);
    set(VIRTIO_MMIO_QUEUE_NOTIFY, 0xffffffff);
    EXPECT_EQ(kicks, std::vector<unsigned>{1});
}

// Every register with every bit pattern of interest, in every order of two: nothing may go wrong
// that the sanitizers or the memory checks would see.
TEST_F(MmioTransportTest, SurvivesAnyRegisterAccess) {
    constexpr std::array<std::uint32_t, 6> values{0, 1, 4, 0x80, 0x10'0000, 0xffffffff};
    for (std::uint64_t offset = 0; offset < MmioTransport::register_block_size; ++offset) {
        for (const std::uint32_t value : values) {
            for (const unsigned size : {1U, 2U, 4U, 8U}) {
                transport.write(offset, size, value);
                transport.read(offset, size);
            }
            transport.service(0);
            transport.service(1);
        }
    }
    set(VIRTIO_MMIO_STATUS, 0);
    driver.set_available(0);
    bring_up();
    offer_one();
    transport.service(0);
    EXPECT_EQ(device.handled, 1U);
}

} // namespace
} // namespace vmm
