// SPDX-License-Identifier: BSD-3-Clause
// StreamBackend: cuts the stream into frames; several come with one read.
#include "net/stream_backend.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

namespace vmm {
namespace {

constexpr std::size_t prefix_size = sizeof(std::uint32_t);
constexpr std::size_t buffer_size = 2 * (NetBackend::longest_frame + prefix_size);

std::uint32_t big_endian(std::uint32_t value) {
    static_assert(std::endian::native == std::endian::little);
    return std::byteswap(value);
}

} // namespace

StreamBackend::StreamBackend(gunyah::FileDescriptor socket)
    : socket_{std::move(socket)}, received_(buffer_size) {
    ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
}

bool StreamBackend::can_send() {
    if (unsent_.empty() || !open_) {
        return true;
    }
    const ssize_t sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0) {
        open_ = errno == EAGAIN || errno == EINTR;
        return !open_;
    }
    unsent_.erase(unsent_.begin(), unsent_.begin() + sent);
    return unsent_.empty();
}

void StreamBackend::send(const NetHeader& /*header*/,
                         std::span<const std::span<const std::byte>> pieces) {
    std::size_t length = 0;
    std::vector<iovec> parts(1);
    for (const auto& piece : pieces) {
        length += piece.size();
        parts.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
    }
    if (!open_ || length > longest_frame) {
        return;
    }
    std::uint32_t prefix = big_endian(static_cast<std::uint32_t>(length));
    parts.front() = {&prefix, prefix_size};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
        // Nothing of the frame is on its way: it is lost, the stream is still in step.
        open_ = errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
        return;
    }
    const auto done = static_cast<std::size_t>(sent);
    if (done < prefix_size) {
        const auto rest = std::as_bytes(std::span{&prefix, 1}).subspan(done);
        unsent_.assign(rest.begin(), rest.end());
    }
    keep_rest(pieces, done - std::min(done, prefix_size));
}

void StreamBackend::keep_rest(std::span<const std::span<const std::byte>> pieces,
                              std::size_t sent) {
    for (const auto& piece : pieces) {
        const auto rest = piece.subspan(std::min(sent, piece.size()));
        sent -= piece.size() - rest.size();
        unsent_.insert(unsent_.end(), rest.begin(), rest.end());
    }
}

std::optional<NetFrame> StreamBackend::front() {
    do {
        const auto waiting = std::span{std::as_const(received_)}.subspan(begin_, end_ - begin_);
        if (waiting.size() < prefix_size) {
            continue;
        }
        std::uint32_t prefix = 0;
        std::memcpy(&prefix, waiting.data(), prefix_size);
        const std::uint32_t length = big_endian(prefix);
        if (length > longest_frame) {
            open_ = false;
            return std::nullopt;
        }
        if (waiting.size() >= prefix_size + length) {
            return NetFrame{.header = {}, .bytes = waiting.subspan(prefix_size, length)};
        }
    } while (read_more());
    return std::nullopt;
}

// After front() gave a frame: its prefix is in the buffer.
void StreamBackend::pop() {
    std::uint32_t prefix = 0;
    std::memcpy(&prefix, received_.data() + begin_, prefix_size);
    begin_ += prefix_size + big_endian(prefix);
}

bool StreamBackend::read_more() {
    if (!open_) {
        return false;
    }
    std::copy(received_.begin() + static_cast<std::ptrdiff_t>(begin_),
              received_.begin() + static_cast<std::ptrdiff_t>(end_), received_.begin());
    end_ -= std::exchange(begin_, 0);
    const ssize_t count =
        ::recv(socket_.get(), received_.data() + end_, received_.size() - end_, 0);
    if (count > 0) {
        end_ += static_cast<std::size_t>(count);
        return true;
    }
    open_ = count < 0 && (errno == EAGAIN || errno == EINTR);
    return false;
}

} // namespace vmm
