// SPDX-License-Identifier: BSD-3-Clause
// ControlServer: accepts, cuts what comes into lines, sends without waiting.
#include "app/control_server.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "app/control_protocol.hpp"
#include "app/runtime_folder.hpp"

namespace vmm {

ControlServer::ControlServer(const std::string& path, LeftoverRemover& remover, EventLoop& loop)
    : loop_{loop}, listener_{listen_at(path)} {
    remover.add(path);
}

void ControlServer::serve(ControlTarget& target) {
    loop_.add(listener_.get(), [this, &target] { accept(target); });
}

void ControlServer::accept(ControlTarget& target) {
    gunyah::FileDescriptor socket{
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!socket || clients_.size() >= most_clients) {
        return; // one too many is closed at once
    }
    const unsigned number = next_number_++;
    Client& client = clients_[number];
    client.socket = std::move(socket);
    client.source = loop_.add(client.socket.get(), [this, number, &target] {
        Client& sender = clients_.at(number);
        receive(sender, target);
        if (sender.broken) {
            drop(number);
        } else if (sender.console) {
            hand_over(number, target);
        }
    });
}

void ControlServer::receive(Client& client, ControlTarget& target) {
    std::array<char, 4096> buffer;
    const ssize_t count = ::recv(client.socket.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (count <= 0) {
        client.broken = true;
        return;
    }
    client.received.append(buffer.data(), static_cast<std::size_t>(count));
    answer_lines(client, target);
    client.broken = client.broken || client.received.size() > longest_control_line;
    client.listens = client.listens && !client.console;
}

void ControlServer::answer_lines(Client& client, ControlTarget& target) {
    std::size_t begin = 0;
    for (std::size_t end = 0; !client.broken && !client.console; begin = end + 1) {
        end = client.received.find('\n', begin);
        if (end == std::string::npos) {
            break;
        }
        const ControlAnswer answer =
            answer_control(std::string_view{client.received}.substr(begin, end - begin), target);
        send(client, answer.line);
        client.listens = client.listens || answer.listens;
        client.console = answer.console;
        broadcast(answer.event);
    }
    client.received.erase(0, begin);
}

void ControlServer::broadcast(std::string_view line) {
    for (auto& [number, client] : clients_) {
        if (client.listens && !line.empty()) {
            send(client, line);
        }
    }
}

void ControlServer::send(Client& client, std::string_view line) {
    const ssize_t sent =
        ::send(client.socket.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(line.size())) {
        client.broken = true;
        ::shutdown(client.socket.get(), SHUT_RDWR); // its source becomes readable and drops it
    }
}

// The client is no client any more, but one of the console's.
void ControlServer::hand_over(unsigned number, ControlTarget& target) {
    Client client = std::move(clients_.at(number));
    drop(number);
    target.attach_console(*client.console, std::move(client.socket), client.received);
}

void ControlServer::drop(unsigned number) {
    loop_.remove(clients_.at(number).source);
    clients_.erase(number);
}

} // namespace vmm
