// SPDX-License-Identifier: BSD-3-Clause
// A polling PL011 driver (Arm DDI 0183): firmware has set it up, characters go out one by one.
#include "machine/uart.hpp"

#include "machine/mmio.hpp"

namespace test {

namespace {

constexpr std::uint64_t data_register = 0x00;
constexpr std::uint64_t flag_register = 0x18;
constexpr std::uint32_t flag_transmit_full = 1u << 5;

class Uart final : public rt::Sink {
public:
    void write(std::string_view text) override {
        for (const char character : text) {
            if (character == '\n') {
                put('\r');
            }
            put(character);
        }
    }
    std::uint64_t base = 0;

private:
    void put(char character) const {
        if (base == 0) {
            return;
        }
        while ((mmio::read32(base + flag_register) & flag_transmit_full) != 0) {
        }
        mmio::write32(base + data_register, static_cast<unsigned char>(character));
    }
};

constinit Uart the_uart;

} // namespace

void init_uart(std::uint64_t base) {
    the_uart.base = base;
}

rt::Sink& uart() {
    return the_uart;
}

} // namespace test
