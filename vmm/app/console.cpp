// SPDX-License-Identifier: BSD-3-Clause
// Console: the way of typed characters to the guest, with back-pressure.
#include "app/console.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace vmm {

Console::Console(ConsoleEndpoint endpoint, EventLoop& loop, std::function<void()> stop)
    : endpoint_{std::move(endpoint)}, loop_{loop}, stop_{std::move(stop)},
      output_{endpoint_.output, endpoint_.slow} {}

CharacterOutput Console::output() {
    return [this](std::span<const std::byte> bytes) { output_.write(bytes); };
}

void Console::connect(CharacterPort& port) {
    port_ = &port;
    if (endpoint_.input < 0) {
        return;
    }
    if (endpoint_.is_terminal) {
        raw_.emplace(endpoint_.input);
    }
    port.on_room([this] { room_.signal(); });
    loop_.add(room_.fd(), [this] {
        room_.drain();
        pass_on();
    });
    input_source_ = loop_.add(endpoint_.input, [this] { read_input(); });
}

void Console::read_input() {
    std::vector<std::byte> typed(read_size);
    const ssize_t count = ::read(endpoint_.input, typed.data(), typed.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (count <= 0) { // the end of the input is not the end of the guest
        end_of_input_ = true;
        loop_.set_enabled(input_source_, false);
        return;
    }
    typed.resize(static_cast<std::size_t>(count));
    accept(std::move(typed));
}

void Console::accept(std::vector<std::byte> typed) {
    if (endpoint_.is_terminal) {
        auto filtered = escape_.filter(typed);
        if (filtered.stop) {
            stop_();
            return;
        }
        typed = std::move(filtered.bytes);
    }
    const std::size_t room = typed_ahead - std::min(typed_ahead, pending_.size());
    typed.resize(std::min(typed.size(), room));
    pending_.insert(pending_.end(), typed.begin(), typed.end());
    pass_on();
}

void Console::pass_on() {
    const std::size_t taken = pending_.empty() ? 0 : port_->receive(pending_);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
    // A terminal is always read: Ctrl-A X must work while the guest takes nothing.
    const bool wanted = pending_.empty() || endpoint_.is_terminal;
    loop_.set_enabled(input_source_, wanted && !end_of_input_);
}

void Console::note(std::string_view text) const {
    fmt::print(stderr, "{}gunyah: {}{}", raw_ ? "\r\n" : "", text, raw_ ? "\r\n" : "\n");
}

} // namespace vmm
