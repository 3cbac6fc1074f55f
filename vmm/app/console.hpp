// SPDX-License-Identifier: BSD-3-Clause
// Console: the host's end of a guest's console: this terminal, a pseudo-terminal or a file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/console_output.hpp"
#include "app/escape_filter.hpp"
#include "app/event_loop.hpp"
#include "app/terminal.hpp"
#include "devices/character_port.hpp"
#include "libgunyah/event_fd.hpp"
#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// Where a console's bytes come from and go to.
struct ConsoleEndpoint {
    gunyah::FileDescriptor owned; // what input and output refer to, unless it is stdio
    gunyah::FileDescriptor keep_open;
    int input = -1; // -1: nobody types
    int output = -1;
    bool is_terminal = false; // keys come one by one, Ctrl-A is an escape
    ConsoleOutput::Slow slow = ConsoleOutput::Slow::wait;
    std::string pty_name; // what to open to reach it, empty unless it is a pseudo-terminal

    // `where`: "stdio", "pty" or the name of a file, which is emptied. Throws gunyah::Error.
    static ConsoleEndpoint open(const std::string& where);
};

// Input runs on the event loop; output may come from any thread.
class Console {
public:
    // `stop` is called on the event loop when the user types Ctrl-A X. `loop` outlives the console.
    Console(ConsoleEndpoint endpoint, EventLoop& loop, std::function<void()> stop);

    [[nodiscard]] CharacterOutput output();
    // Starts to feed `port`, which outlives the loop's run. A terminal becomes raw now.
    void connect(CharacterPort& port);
    // The guest is being stopped: nobody may wait for output any more.
    void stop_waiting() { output_.stop_waiting(); }
    // A line for the user on stderr, in a form that a raw terminal shows properly.
    void note(std::string_view text) const;

private:
    static constexpr std::size_t read_size = 1024;
    static constexpr std::size_t typed_ahead = 4096; // kept while the guest does not take it

    void read_input();
    void accept(std::vector<std::byte> typed);
    void pass_on();

    ConsoleEndpoint endpoint_;
    EventLoop& loop_;
    std::function<void()> stop_;
    std::optional<RawTerminal> raw_; // before output_: put back when all is written
    ConsoleOutput output_;
    gunyah::EventFd room_; // the port has room again
    EscapeFilter escape_;
    CharacterPort* port_ = nullptr;
    std::vector<std::byte> pending_;
    std::size_t input_source_ = 0;
    bool end_of_input_ = false;
};

} // namespace vmm
