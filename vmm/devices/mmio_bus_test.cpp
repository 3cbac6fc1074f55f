// SPDX-License-Identifier: BSD-3-Clause
// Tests of MmioBus: which device an access reaches.
#include "devices/mmio_bus.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace vmm {
namespace {

class RecordingDevice : public MmioDevice {
public:
    std::uint64_t read(std::uint64_t offset, unsigned /*size*/) override { return 0x1000 + offset; }
    void write(std::uint64_t offset, unsigned /*size*/, std::uint64_t value) override {
        last_offset = offset;
        last_value = value;
    }
    std::uint64_t last_offset = 0;
    std::uint64_t last_value = 0;
};

TEST(MmioBus, FindsTheDeviceByAddress) {
    RecordingDevice device;
    MmioBus bus;
    bus.add(0x9000, 0x200, device);
    EXPECT_EQ(bus.read(0x9000, 4), 0x1000U);
    EXPECT_EQ(bus.read(0x91fc, 4), 0x11fcU);
    bus.write(0x9010, 4, 7);
    EXPECT_EQ(device.last_offset, 0x10U);
    EXPECT_EQ(device.last_value, 7U);
}

TEST(MmioBus, NobodyAnswersWithZero) {
    RecordingDevice device;
    MmioBus bus;
    bus.add(0x9000, 0x200, device);
    EXPECT_EQ(bus.read(0x8fff, 4), 0U);
    EXPECT_EQ(bus.read(0x9200, 4), 0U);
    EXPECT_EQ(bus.read(0x91fe, 4), 0U); // leaves the device
    EXPECT_EQ(bus.read(~std::uint64_t{0}, 8), 0U);
    bus.write(0x91fe, 4, 7);
    EXPECT_EQ(device.last_value, 0U);
}

TEST(MmioBus, RefusesOverlappingDevices) {
    RecordingDevice device;
    MmioBus bus;
    bus.add(0x9000, 0x200, device);
    EXPECT_THROW(bus.add(0x91ff, 0x200, device), std::logic_error);
    EXPECT_THROW(bus.add(0x8fff, 2, device), std::logic_error);
    EXPECT_NO_THROW(bus.add(0x9200, 0x200, device));
}

} // namespace
} // namespace vmm
