// SPDX-License-Identifier: BSD-3-Clause
// use_console(): keys out, output in, sizes beside them on a connection of their own.
#include "app/console_client.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/event_loop.hpp"
#include "app/signal_descriptor.hpp"
#include "app/terminal.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::byte detach_key{0x1d}; // Ctrl-]

// Writes all of it; false: nobody takes it.
template <typename Write>
bool write_all(std::span<const std::byte> bytes, const Write& write) {
    while (!bytes.empty()) {
        const ssize_t count = write(bytes);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    return true;
}

class AttachedTerminal {
public:
    AttachedTerminal(gunyah::FileDescriptor socket, std::optional<ControlClient> sizes,
                     unsigned console)
        : socket_{std::move(socket)}, sizes_{std::move(sizes)}, console_{console} {}

    // True: the user detached; false: the VM ended the connection.
    bool run(const std::string& received) {
        show(std::as_bytes(std::span{received}));
        if (::isatty(STDIN_FILENO) != 0) {
            raw_.emplace(STDIN_FILENO);
        }
        send_size();
        loop_.add(resized_.fd(), [this] {
            static_cast<void>(resized_.take());
            send_size();
        });
        loop_.add(ended_.fd(), [this] { loop_.stop(); });
        input_ = loop_.add(STDIN_FILENO, [this] { pass_input(); });
        loop_.add(socket_.get(), [this] { pass_output(); });
        loop_.run();
        raw_.reset();
        return !lost_;
    }

private:
    void pass_input() {
        std::array<std::byte, 1024> typed;
        const ssize_t count = ::read(STDIN_FILENO, typed.data(), typed.size());
        if (count <= 0) { // no more typing, but output still comes
            loop_.remove(input_);
            return;
        }
        const auto keys = std::span{typed}.first(static_cast<std::size_t>(count));
        const auto detach = std::ranges::find(keys, detach_key);
        const auto before = keys.first(static_cast<std::size_t>(detach - keys.begin()));
        const bool sent = write_all(before, [this](auto bytes) {
            return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        });
        if (!sent) {
            lost_ = true;
        }
        if (!sent || detach != keys.end()) {
            loop_.stop();
        }
    }

    void pass_output() {
        std::array<std::byte, 16384> bytes;
        const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
        const bool is_open =
            count > 0 && show(std::span{bytes}.first(static_cast<std::size_t>(count)));
        if (!is_open) {
            lost_ = true;
            loop_.stop();
        }
    }

    static bool show(std::span<const std::byte> bytes) {
        return write_all(
            bytes, [](auto part) { return ::write(STDOUT_FILENO, part.data(), part.size()); });
    }

    void send_size() {
        winsize window{};
        if (!sizes_ || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 ||
            window.ws_row == 0) {
            return;
        }
        try {
            sizes_->call(Json{{"version", 1},
                              {"command", "resize"},
                              {"console", console_},
                              {"columns", window.ws_col},
                              {"rows", window.ws_row}}
                             .dump());
        } catch (const std::exception&) {
            sizes_.reset(); // a VM that ends closes the console, too: that is what is shown
        }
    }

    gunyah::FileDescriptor socket_;
    std::optional<ControlClient> sizes_;
    unsigned console_;
    SignalDescriptor resized_{SIGWINCH};
    SignalDescriptor ended_{SIGINT, SIGTERM, SIGHUP};
    EventLoop loop_;
    std::optional<RawTerminal> raw_;
    std::size_t input_ = 0;
    bool lost_ = false;
};

} // namespace

int use_console(const std::string& name, ControlClient& client, const std::string& console) {
    const std::string reply =
        client.call(Json{{"version", 1}, {"command", "console"}, {"console", console}}.dump());
    const auto number = Json::parse(reply).at("console").get<unsigned>();
    auto [socket, received] = client.release();
    AttachedTerminal terminal{std::move(socket), ControlClient::open(name), number};
    const bool detached = terminal.run(received);
    fmt::print(stderr, "gunyah: {} VM '{}'\n", detached ? "detached from" : "lost the console of",
               name);
    return 0;
}

} // namespace vmm
