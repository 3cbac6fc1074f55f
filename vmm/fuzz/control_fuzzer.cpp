// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: lines from clients of the control socket. Each is answered by one line.
#include <cstdlib>

#include "app/control_protocol.hpp"

namespace {

struct NoVm : vmm::ControlTarget {
    [[nodiscard]] vmm::VmInfo info() const override {
        return {.name = "fuzz",
                .process = 1,
                .state = "running",
                .config = "{}",
                .consoles = {{.name = "a", .place = "b"}}};
    }
    [[nodiscard]] std::vector<vmm::DeviceCounts> device_counts() const override { return {}; }
    void press_power_button() override {}
    void force_stop() override {}
    void pause() override {}
    void resume() override {}
    [[nodiscard]] std::optional<unsigned> find_console(std::string_view which) const override {
        return which == "0" ? std::optional{0U} : std::nullopt;
    }
    void attach_console(unsigned /*console*/, gunyah::FileDescriptor /*socket*/,
                        std::string_view /*typed*/) override {}
    void resize_console(unsigned /*console*/, vmm::ConsoleSize size) override {
        if (size.columns == 0 || size.rows == 0) {
            std::abort();
        }
    }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    NoVm vm;
    const std::string line =
        vmm::answer_control({reinterpret_cast<const char*>(data), size}, vm).line;
    if (line.find('\n') != line.size() - 1) {
        std::abort();
    }
    return 0;
}
