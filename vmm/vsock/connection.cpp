// SPDX-License-Identifier: BSD-3-Clause
// VsockConnection: what each packet and each event of the program's socket changes.
#include "vsock/connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace vmm {
namespace {

constexpr std::uint32_t both = vsock_no_receive | vsock_no_send;
constexpr std::string_view greeting_word = "CONNECT ";
constexpr std::size_t longest_greeting = 32;

// Of "CONNECT 22\n", without the newline.
std::optional<std::uint32_t> parse_greeting(std::string_view line) {
    std::uint32_t port = 0;
    if (!line.starts_with(greeting_word)) {
        return std::nullopt;
    }
    const char* end = line.data() + line.size();
    const auto parsed = std::from_chars(line.data() + greeting_word.size(), end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end) {
        return std::nullopt;
    }
    return port;
}

bool is_temporary(int error_number) {
    return error_number == EAGAIN || error_number == EINTR;
}

} // namespace

VsockConnection::VsockConnection(gunyah::FileDescriptor program)
    : program_{std::move(program)}, state_{State::greeting} {}

VsockConnection::VsockConnection(gunyah::FileDescriptor program, const VsockHeader& request)
    : program_{std::move(program)}, state_{State::established}, guest_port_{request.source_port},
      host_port_{request.destination_port}, owes_response_{true} {
    credit_.update(request);
}

std::optional<std::uint32_t> VsockConnection::wanted_events() const {
    std::uint32_t events = to_program_.empty() ? 0 : std::uint32_t{EPOLLOUT};
    switch (state_) {
    case State::greeting:
        return EPOLLIN;
    case State::requested:
        return 0;
    case State::finished:
        return std::nullopt;
    case State::established:
        break;
    }
    if (is_readable()) {
        return events | EPOLLIN;
    }
    // What the program has still to say comes before its end, which poll would report on and on.
    const bool has_more_to_read = !program_ended_ && (guest_closed_ & vsock_no_receive) == 0;
    if (events == 0 && has_more_to_read) {
        return std::nullopt;
    }
    return events;
}

std::optional<std::uint32_t> VsockConnection::read_greeting() {
    std::array<char, longest_greeting> text;
    // Only the line is taken: what follows it is for the guest.
    const ssize_t count = ::recv(program_.get(), text.data(), text.size(), MSG_PEEK);
    if (count < 0 && is_temporary(errno)) {
        return std::nullopt;
    }
    const std::string_view seen{text.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
    const std::size_t end = seen.find('\n');
    if (end == std::string_view::npos) {
        if (seen.empty() || seen.size() == text.size()) {
            finish();
        }
        return std::nullopt;
    }
    const auto port = parse_greeting(seen.substr(0, end));
    if (!port || ::recv(program_.get(), text.data(), end + 1, 0) < 0) {
        finish();
        return std::nullopt;
    }
    return port;
}

void VsockConnection::request(std::uint32_t guest_port, std::uint32_t host_port) {
    guest_port_ = guest_port;
    host_port_ = host_port;
    state_ = State::requested;
    owes_request_ = true;
}

void VsockConnection::receive(const VsockHeader& header,
                              std::span<const std::span<const std::byte>> payload) {
    credit_.update(header);
    const bool connected = state_ == State::established;
    switch (header.operation) {
    case VsockOperation::response:
        establish();
        return;
    case VsockOperation::reset:
        receive_reset();
        return;
    case VsockOperation::shutdown:
        receive_shutdown(header.flags);
        return;
    case VsockOperation::data:
        if (connected) {
            receive_data(header.length, payload);
            return;
        }
        break;
    case VsockOperation::credit_update:
        return;
    case VsockOperation::credit_request:
        owes_credit_ = connected;
        return;
    case VsockOperation::request: // there is such a connection already
        break;
    }
    end_with_reset();
}

void VsockConnection::establish() {
    if (state_ != State::requested) {
        end_with_reset();
        return;
    }
    state_ = State::established;
    const std::string answer = fmt::format("OK {}\n", host_port_);
    // The first bytes on this socket: there is room for them unless the program has gone.
    if (::send(program_.get(), answer.data(), answer.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(answer.size())) {
        end_with_reset();
    }
}

void VsockConnection::receive_data(std::uint32_t length,
                                   std::span<const std::span<const std::byte>> payload) {
    if ((guest_closed_ & vsock_no_send) != 0 || !credit_.received(length)) {
        end_with_reset();
        return;
    }
    std::size_t done = 0;
    if (to_program_.empty()) {
        std::vector<iovec> parts;
        for (const auto& piece : payload) {
            parts.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
        }
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        const ssize_t sent = ::sendmsg(program_.get(), &message, MSG_NOSIGNAL);
        if (sent < 0 && !is_temporary(errno)) {
            end_with_reset();
            return;
        }
        done = sent < 0 ? 0 : static_cast<std::size_t>(sent);
        credit_.forwarded(static_cast<std::uint32_t>(done));
    }
    for (const auto& piece : payload) {
        const auto rest = piece.subspan(std::min(done, piece.size()));
        done -= piece.size() - rest.size();
        to_program_.insert(to_program_.end(), rest.begin(), rest.end());
    }
}

void VsockConnection::receive_shutdown(std::uint32_t flags) {
    if (state_ != State::established) {
        end_with_reset();
        return;
    }
    guest_closed_ |= flags & both;
    end_directions();
}

void VsockConnection::receive_reset() {
    guest_gone_ = guest_closed_ == both && !to_program_.empty();
    owes_request_ = owes_response_ = owes_credit_ = false;
    if (!guest_gone_) {
        finish();
    }
}

// Ends what the guest has closed, as soon as all that it sent before has been written.
void VsockConnection::end_directions() {
    if (!to_program_.empty()) {
        return;
    }
    if (guest_closed_ == both) {
        if (guest_gone_) {
            finish();
        } else {
            end_with_reset();
        }
        return;
    }
    if ((guest_closed_ & vsock_no_send) != 0 && !std::exchange(end_passed_on_, true)) {
        ::shutdown(program_.get(), SHUT_WR);
    }
    if ((guest_closed_ & vsock_no_receive) != 0) {
        ::shutdown(program_.get(), SHUT_RD);
    }
}

void VsockConnection::write_out() {
    const ssize_t sent =
        ::send(program_.get(), to_program_.data(), to_program_.size(), MSG_NOSIGNAL);
    if (sent < 0) {
        if (!is_temporary(errno)) {
            end_with_reset();
        }
        return;
    }
    to_program_.erase(to_program_.begin(), to_program_.begin() + sent);
    credit_.forwarded(static_cast<std::uint32_t>(sent));
    end_directions();
}

bool VsockConnection::is_readable() const {
    return state_ == State::established && !program_ended_ && !guest_gone_ &&
           (guest_closed_ & vsock_no_receive) == 0 && credit_.room() > 0;
}

std::size_t VsockConnection::read(std::span<std::byte> to) {
    to = to.first(std::min<std::size_t>(to.size(), credit_.room()));
    const ssize_t count = ::recv(program_.get(), to.data(), to.size(), 0);
    if (count > 0) {
        credit_.sent(static_cast<std::uint32_t>(count));
        return static_cast<std::size_t>(count);
    }
    if (count == 0) {
        program_ended_ = true;
    } else if (!is_temporary(errno)) {
        end_with_reset();
    }
    return 0;
}

void VsockConnection::program_has_gone() {
    if (state_ != State::established || guest_gone_ || !to_program_.empty()) {
        // Nobody takes what waits, or nothing was ever agreed on.
        end_with_reset();
        return;
    }
    // While there is something to read for the guest, that comes first.
    program_gone_ = program_ended_ || (guest_closed_ & vsock_no_receive) != 0;
}

bool VsockConnection::has_control() const {
    const std::uint32_t shutdown =
        program_gone_ ? both : (program_ended_ ? vsock_no_send : std::uint32_t{0});
    return owes_reset_ || (state_ != State::finished && !guest_gone_ &&
                           (owes_request_ || owes_response_ || owes_credit_ ||
                            credit_.is_worth_an_update() || (shutdown & ~shutdown_told_) != 0));
}

std::optional<VsockHeader> VsockConnection::take_control() {
    if (!has_control()) {
        return std::nullopt;
    }
    VsockHeader header;
    if (std::exchange(owes_reset_, false)) {
        header.operation = VsockOperation::reset;
        return header;
    }
    if (std::exchange(owes_request_, false)) {
        header.operation = VsockOperation::request;
    } else if (std::exchange(owes_response_, false)) {
        header.operation = VsockOperation::response;
    } else if (owes_credit_ || credit_.is_worth_an_update()) {
        header.operation = VsockOperation::credit_update;
    } else {
        header.operation = VsockOperation::shutdown;
        header.flags = shutdown_told_ = program_gone_ ? both : vsock_no_send;
        if (program_gone_) {
            finish();
        }
    }
    owes_credit_ = false; // every packet carries it
    credit_.announce(header);
    return header;
}

void VsockConnection::end_with_reset() {
    // A program that never got a connection is unknown to the guest.
    owes_reset_ = state_ != State::greeting && !guest_gone_ && !owes_request_;
    finish();
}

void VsockConnection::finish() {
    state_ = State::finished;
    to_program_.clear();
    program_ = gunyah::FileDescriptor{};
}

} // namespace vmm
