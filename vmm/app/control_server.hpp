// SPDX-License-Identifier: BSD-3-Clause
// ControlServer: the control socket of one VM and its clients.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "app/control_target.hpp"
#include "app/event_loop.hpp"
#include "libgunyah/file_descriptor.hpp"
#include "sandbox/leftover_remover.hpp"

namespace vmm {

// On the event loop's thread. A client that sends too long a line, or does not read what it asked
// for, loses its connection; nothing here waits for a client.
class ControlServer {
public:
    // Listens at once, so that nobody else takes the name; answers come from serve() on. `remover`
    // learns of the socket. Throws gunyah::Error. `loop` outlives the server.
    ControlServer(const std::string& path, LeftoverRemover& remover, EventLoop& loop);
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    // `target` outlives the loop's run.
    void serve(ControlTarget& target);
    // To every client that listens to events.
    void broadcast(std::string_view line);

private:
    struct Client {
        gunyah::FileDescriptor socket;
        std::size_t source = 0;
        std::string received; // the beginning of a line
        bool listens = false;
        bool broken = false;
        std::optional<unsigned> console; // what the connection is from now on
    };
    static constexpr std::size_t most_clients = 64;

    void accept(ControlTarget& target);
    void receive(Client& client, ControlTarget& target);
    void answer_lines(Client& client, ControlTarget& target);
    static void send(Client& client, std::string_view line);
    void drop(unsigned number);
    void hand_over(unsigned number, ControlTarget& target);

    EventLoop& loop_;
    gunyah::FileDescriptor listener_;
    std::map<unsigned, Client> clients_;
    unsigned next_number_ = 0;
};

} // namespace vmm
