// SPDX-License-Identifier: BSD-3-Clause
// Console: the way of typed characters to the guest, with back-pressure; attaching and detaching.
#include "app/console.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace vmm {
namespace {

// Whether a read that returned `count` is to be tried again later.
bool is_nothing_yet(ssize_t count) {
    return count < 0 && (errno == EINTR || errno == EAGAIN);
}

} // namespace

Console::Console(ConsoleEndpoint endpoint, EventLoop& loop, std::function<void()> stop)
    : endpoint_{std::move(endpoint)}, loop_{loop}, stop_{std::move(stop)},
      output_{is_stream() ? ConsoleOutput::Kind::stream : ConsoleOutput::Kind::text} {
    if (endpoint_.output >= 0) {
        output_.add_reader(endpoint_.output, endpoint_.slow, true);
    }
}

CharacterOutput Console::output() {
    return [this](std::span<const std::byte> bytes) { output_.write(bytes); };
}

ConsoleSink Console::sink() {
    return {.write = output(), .has_room = [this] { return output_.has_room(); }};
}

void Console::connect(ConsoleGuest guest, const ConsoleOutput::ThreadStart& thread_start) {
    guest_.emplace(std::move(guest));
    output_.start(guest_->drained, thread_start);
    guest_->port.on_room([this] { room_.signal(); });
    loop_.add(room_.fd(), [this] {
        room_.drain();
        pass_on();
    });
    if (endpoint_.listener) {
        loop_.add(endpoint_.listener.get(), [this] { accept_client(); });
    }
    if (is_left_alone()) {
        guest_->open(false);
    }
    look_at_size();
    if (endpoint_.input >= 0) {
        if (endpoint_.is_terminal) {
            raw_.emplace(endpoint_.input);
        }
        input_source_ = loop_.add(endpoint_.input, [this] { read_input(); });
    }
}

// A stream with nobody at the host's end: the guest's programs must know, or they would wait.
bool Console::is_left_alone() const {
    return is_stream() && clients_.empty() && endpoint_.input < 0 && endpoint_.output < 0;
}

void Console::look_at_size() {
    winsize window{};
    if (endpoint_.output < 0 || ::ioctl(endpoint_.output, TIOCGWINSZ, &window) != 0 ||
        window.ws_col == 0 || window.ws_row == 0) {
        return; // no terminal, or one that does not know
    }
    const ConsoleSize size{.columns = window.ws_col, .rows = window.ws_row};
    if (size_ != size) {
        size_ = size;
        guest_->resize(size);
    }
}

void Console::read_input() {
    std::vector<std::byte> typed(read_size);
    const ssize_t count = ::read(endpoint_.input, typed.data(), typed.size());
    if (is_nothing_yet(count)) {
        return;
    }
    if (count <= 0) { // the end of the input is not the end of the guest
        loop_.remove(*std::exchange(input_source_, std::nullopt));
        return;
    }
    typed.resize(static_cast<std::size_t>(count));
    if (!endpoint_.is_terminal) {
        look_at_size(); // nobody tells us when a pseudo-terminal is resized
    }
    filter_and_accept(std::move(typed));
}

void Console::filter_and_accept(std::vector<std::byte> typed) {
    if (endpoint_.is_terminal) {
        auto filtered = escape_.filter(typed);
        if (filtered.stop) {
            stop_();
            return;
        }
        typed = std::move(filtered.bytes);
    }
    accept(typed);
}

void Console::accept(std::span<const std::byte> typed) {
    const std::size_t room = typed_ahead - std::min(typed_ahead, pending_.size());
    const auto taken = typed.first(std::min(typed.size(), room));
    pending_.insert(pending_.end(), taken.begin(), taken.end());
    pass_on();
}

void Console::pass_on() {
    const std::size_t taken = pending_.empty() ? 0 : guest_->port.receive(pending_);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
    if (input_source_) {
        // A terminal is always read: Ctrl-A X must work while the guest takes nothing.
        loop_.set_enabled(*input_source_, pending_.empty() || endpoint_.is_terminal);
    }
    for (const auto& [number, client] : clients_) {
        loop_.set_enabled(client.source, pending_.empty());
    }
}

void Console::accept_client() {
    gunyah::FileDescriptor socket{
        ::accept4(endpoint_.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (socket) {
        attach(std::move(socket), {});
    }
}

void Console::attach(gunyah::FileDescriptor socket, std::string_view typed) {
    if (clients_.size() >= most_clients) {
        return; // one too many is closed at once
    }
    const unsigned number = next_client_++;
    Client& client = clients_[number];
    client.socket = std::move(socket);
    // A stream is a conversation: a new partner does not hear what was said to the one before.
    client.reader =
        output_.add_reader(client.socket.get(), ConsoleOutput::Slow::skip, !is_stream());
    client.source = loop_.add(client.socket.get(), [this, number] { read_client(number); });
    if (is_stream() && clients_.size() == 1) {
        guest_->open(true);
    }
    accept(std::as_bytes(std::span{typed}));
}

void Console::read_client(unsigned number) {
    std::array<std::byte, read_size> typed;
    const ssize_t count = ::recv(clients_.at(number).socket.get(), typed.data(), typed.size(), 0);
    if (is_nothing_yet(count)) {
        return;
    }
    if (count <= 0) {
        drop(number);
        return;
    }
    accept(std::span{typed}.first(static_cast<std::size_t>(count)));
}

void Console::drop(unsigned number) {
    const Client& client = clients_.at(number);
    loop_.remove(client.source);
    output_.remove_reader(client.reader);
    ::shutdown(client.socket.get(), SHUT_RDWR); // the output's thread may still have its copy
    clients_.erase(number);
    if (is_left_alone()) {
        guest_->open(false);
    }
}

void Console::note(std::string_view text) const {
    fmt::print(stderr, "{}gunyah: {}{}", raw_ ? "\r\n" : "", text, raw_ ? "\r\n" : "\n");
}

} // namespace vmm
