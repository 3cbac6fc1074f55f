// SPDX-License-Identifier: BSD-3-Clause
// ProgramConnector: sockets handed over with SCM_RIGHTS (unix(7)).
#include "sandbox/program_connector.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include <fmt/format.h>

#include "sandbox/call_filter.hpp"
#include "sandbox/helper_process.hpp"
#include "sandbox/thread_calls.hpp"
#include "vsock/unix_socket.hpp"

namespace vmm {
namespace {

// A message of one byte with room for one descriptor.
struct DescriptorMessage {
    char byte = 0;
    iovec part{&byte, 1};
    alignas(cmsghdr) std::byte control[CMSG_SPACE(sizeof(int))]{};
    msghdr header{};

    DescriptorMessage() {
        header.msg_iov = &part;
        header.msg_iovlen = 1;
    }
    DescriptorMessage(const DescriptorMessage&) = delete;
    DescriptorMessage& operator=(const DescriptorMessage&) = delete;

    void add_room() {
        header.msg_control = control;
        header.msg_controllen = sizeof(control);
    }
};

void answer(const gunyah::FileDescriptor& socket) {
    DescriptorMessage message;
    if (socket) {
        message.add_room();
        cmsghdr* const first = CMSG_FIRSTHDR(&message.header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(sizeof(int));
        const int fd = socket.get();
        std::memcpy(CMSG_DATA(first), &fd, sizeof(fd));
    }
    ::sendmsg(STDIN_FILENO, &message.header, MSG_NOSIGNAL);
}

// The helper's whole life.
void serve(const std::string& prefix, bool confined) {
    if (confined && !confine_thread(calls_of(ThreadKind::connector, {}), "connector")) {
        return; // the guest's connections are refused: better than one with all rights
    }
    for (;;) {
        std::uint32_t number = 0;
        const ssize_t count = ::recv(STDIN_FILENO, &number, sizeof(number), 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count != sizeof(number)) {
            return;
        }
        answer(connect_unix(fmt::format("{}_{}", prefix, number), false));
    }
}

} // namespace

ProgramConnector::ProgramConnector(const std::string& prefix, bool confined)
    : connection_{
          start_helper("gunyah-connect", [&prefix, confined] { serve(prefix, confined); })} {}

gunyah::FileDescriptor ProgramConnector::connect(std::uint32_t number) const {
    if (::send(connection_.get(), &number, sizeof(number), MSG_NOSIGNAL) < 0) {
        return gunyah::FileDescriptor{};
    }
    DescriptorMessage message;
    message.add_room();
    ssize_t count = -1;
    do {
        count = ::recvmsg(connection_.get(), &message.header, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    const cmsghdr* const first = count > 0 ? CMSG_FIRSTHDR(&message.header) : nullptr;
    if (first == nullptr || first->cmsg_level != SOL_SOCKET || first->cmsg_type != SCM_RIGHTS) {
        return gunyah::FileDescriptor{};
    }
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(first), sizeof(fd));
    return gunyah::FileDescriptor{fd};
}

} // namespace vmm
