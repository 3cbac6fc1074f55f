// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: lines from clients of the control socket. Each is answered by one line.
#include <cstdlib>

#include "app/control_protocol.hpp"

namespace {

struct NoVm : vmm::ControlTarget {
    [[nodiscard]] vmm::VmInfo info() const override {
        return {.name = "fuzz", .process = 1, .state = "running", .config = "{}"};
    }
    [[nodiscard]] std::vector<vmm::DeviceCounts> device_counts() const override { return {}; }
    void press_power_button() override {}
    void force_stop() override {}
    void pause() override {}
    void resume() override {}
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
