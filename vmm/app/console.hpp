// SPDX-License-Identifier: BSD-3-Clause
// Console: the host's end of one console of a guest: its endpoint, and who attached to it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "app/console_endpoint.hpp"
#include "app/console_output.hpp"
#include "app/escape_filter.hpp"
#include "app/event_loop.hpp"
#include "app/terminal.hpp"
#include "devices/character_port.hpp"
#include "libgunyah/event_fd.hpp"
#include "libgunyah/file_descriptor.hpp"
#include "virtio/console_control.hpp"
#include "virtio/console_port.hpp"

namespace vmm {

// The guest's end. Everything is called on the event loop, except drained, which may come from any
// thread and with locks held.
struct ConsoleGuest {
    CharacterPort& port;                     // outlives the loop's run
    std::function<void(ConsoleSize)> resize; // the terminal has this size now
    std::function<void(bool)> open;          // somebody is there, or nobody any more
    std::function<void()> drained;           // the sink has room again
};

// Output may come from any thread, everything else is on the event loop.
class Console {
public:
    // `stop` is called on the event loop when the user types Ctrl-A X. `loop` outlives the console.
    Console(ConsoleEndpoint endpoint, EventLoop& loop, std::function<void()> stop);
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;

    [[nodiscard]] const std::string& name() const { return endpoint_.name; }
    [[nodiscard]] const std::string& place() const { return endpoint_.place; }
    [[nodiscard]] CharacterOutput output();
    [[nodiscard]] ConsoleSink sink();
    // Starts to feed the guest and to hand out, on a thread that does `thread_start` first. A
    // terminal becomes raw now.
    void connect(ConsoleGuest guest, const ConsoleOutput::ThreadStart& thread_start);
    // Who is at the other end of `client`, a socket that does not block, gets what was printed so
    // far and from now on, and may type; `typed` came already.
    void attach(gunyah::FileDescriptor client, std::string_view typed);
    void resize(ConsoleSize size) { guest_->resize(size); }
    // The terminal may have another size: ask it.
    void look_at_size();
    // The guest is being stopped: nobody may wait for output any more.
    void stop_waiting() { output_.stop_waiting(); }
    // A line for the user on stderr, in a form that a raw terminal shows properly.
    void note(std::string_view text) const;

private:
    struct Client {
        gunyah::FileDescriptor socket;
        std::size_t source = 0;
        unsigned reader = 0;
    };
    static constexpr std::size_t read_size = 1024;
    static constexpr std::size_t typed_ahead = 4096; // kept while the guest does not take it
    static constexpr std::size_t most_clients = 16;

    [[nodiscard]] bool is_stream() const { return !endpoint_.name.empty(); }
    [[nodiscard]] bool is_left_alone() const;
    void read_input();
    void read_client(unsigned number);
    void accept_client();
    void drop(unsigned number);
    void filter_and_accept(std::vector<std::byte> typed);
    void accept(std::span<const std::byte> typed);
    void pass_on();

    ConsoleEndpoint endpoint_;
    EventLoop& loop_;
    std::function<void()> stop_;
    std::optional<RawTerminal> raw_; // before output_: put back when all is written
    ConsoleOutput output_;
    gunyah::EventFd room_; // the port has room again
    EscapeFilter escape_;
    std::optional<ConsoleGuest> guest_;
    std::optional<ConsoleSize> size_; // as the endpoint's terminal last had it
    std::vector<std::byte> pending_;
    std::optional<std::size_t> input_source_;
    std::map<unsigned, Client> clients_;
    unsigned next_client_ = 0;
};

} // namespace vmm
