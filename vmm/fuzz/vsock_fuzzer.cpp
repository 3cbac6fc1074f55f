// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the vsock device's queues, with programs that come, write, read and go.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "fuzz/device_driver.hpp"
#include "virtio/vsock_device.hpp"
#include "vsock/unix_socket.hpp"

namespace {

constexpr std::uint32_t served_port = 80;

class Programs {
public:
    explicit Programs(std::string path)
        : path_{std::move(path)},
          listener_{vmm::listen_unix(fmt::format("{}_{}", path_, served_port))} {}
    Programs(const Programs&) = delete;
    Programs& operator=(const Programs&) = delete;
    ~Programs() { ::unlink(fmt::format("{}_{}", path_, served_port).c_str()); }

    void act(vmm::fuzz::FuzzInput& input) {
        const auto action = input.take<std::uint8_t>();
        if (action % 8 == 0 || programs_.empty()) {
            auto program = action % 16 == 0 ? gunyah::FileDescriptor{::accept4(
                                                  listener_.get(), nullptr, nullptr, SOCK_NONBLOCK)}
                                            : vmm::connect_unix(path_, false);
            if (program) {
                programs_.push_back(std::move(program));
            }
            return;
        }
        gunyah::FileDescriptor& program = programs_[action / 8 % programs_.size()];
        std::array<std::byte, 4096> buffer;
        const auto text = input.take_bytes(input.take<std::uint8_t>());
        switch (action % 8) {
        case 1:
            program = gunyah::FileDescriptor{};
            break;
        case 2:
            ::shutdown(program.get(), SHUT_WR);
            break;
        case 3:
            static_cast<void>(::recv(program.get(), buffer.data(), buffer.size(), 0));
            break;
        case 4:
            static_cast<void>(::send(program.get(), "CONNECT 5\n", 10, MSG_NOSIGNAL));
            break;
        default:
            static_cast<void>(::send(program.get(), text.data(), text.size(), MSG_NOSIGNAL));
        }
    }

private:
    std::string path_;
    gunyah::FileDescriptor listener_;
    std::vector<gunyah::FileDescriptor> programs_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vmm::fuzz::FuzzInput input{data, size};
    const std::string path = fmt::format("/tmp/gunyah-fuzz-{}.vsock", ::getpid());
    vmm::VsockDevice device{
        std::make_unique<vmm::VsockHost>(3, vmm::listen_unix(path), [&path](std::uint32_t port) {
            return vmm::connect_unix(fmt::format("{}_{}", path, port), false);
        })};
    Programs programs{path};
    vmm::fuzz::drive(device, input, [&](vmm::fuzz::FuzzInput& host) { programs.act(host); });
    return 0;
}
