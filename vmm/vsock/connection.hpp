// SPDX-License-Identifier: BSD-3-Clause
// VsockConnection: one stream between a port of the guest and a program of the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libgunyah/file_descriptor.hpp"
#include "vsock/credit.hpp"
#include "vsock/packet.hpp"

namespace vmm {

// The host's end is a non-blocking unix socket.
//
//   host connects -> greeting --"CONNECT port"--> requested --RESPONSE--> established
//   guest's REQUEST, host's program listens ----------------------------> established
//
//   established: each direction ends by itself
//     guest will not send:    host's program sees the end when it has read everything
//     program will not send:  guest gets SHUTDOWN when it has been sent everything
//     both of the guest's ends closed --written out--> RST to the guest --> finished
//     both of the program's ends closed --------------> SHUTDOWN of both --> finished
//     RST from the guest ----------------------------> finished; when it had closed both ends
//                                                      before, what waits is written out first
//     a broken promise (credit), program gone --------> RST to the guest --> finished
//
// A finished connection has no packets left but perhaps a last one, see take_control().
class VsockConnection {
public:
    enum class State { greeting, requested, established, finished };

    // A program connected; what port it wants is not known yet.
    explicit VsockConnection(gunyah::FileDescriptor program);
    // The guest connected to the program.
    VsockConnection(gunyah::FileDescriptor program, const VsockHeader& request);

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] int fd() const { return program_.get(); }
    // What its program is waited for, EPOLLIN and EPOLLOUT, perhaps none; nothing: not even for its
    // end, which cannot be acted on now.
    [[nodiscard]] std::optional<std::uint32_t> wanted_events() const;

    // While greeting: the port that the program asked for, when it has.
    std::optional<std::uint32_t> read_greeting();
    // It gets this connection: a REQUEST goes to the guest.
    void request(std::uint32_t guest_port, std::uint32_t host_port);
    [[nodiscard]] std::uint32_t guest_port() const { return guest_port_; }
    [[nodiscard]] std::uint32_t host_port() const { return host_port_; }

    // A packet of the guest for this connection; `payload` is what follows its header.
    void receive(const VsockHeader& header, std::span<const std::span<const std::byte>> payload);

    // The program's socket is writable, or gone.
    void write_out();
    // Bytes of the program for the guest, at most as many as the guest has room for; none when
    // there are no more now.
    std::size_t read(std::span<std::byte> to);
    // Whether read() may give something.
    [[nodiscard]] bool is_readable() const;
    // Notes that the program closed both its ends.
    void program_has_gone();

    // The next packet without data that the guest is owed, addresses apart.
    std::optional<VsockHeader> take_control();
    [[nodiscard]] bool has_control() const;
    // Our side's credit, for any packet.
    void announce(VsockHeader& header) { credit_.announce(header); }

private:
    void receive_data(std::uint32_t length, std::span<const std::span<const std::byte>> payload);
    void receive_shutdown(std::uint32_t flags);
    void receive_reset();
    void establish();
    void end_with_reset();
    void finish();
    void end_directions();

    gunyah::FileDescriptor program_;
    State state_;
    std::uint32_t guest_port_ = 0;
    std::uint32_t host_port_ = 0;
    VsockCredit credit_;
    std::vector<std::byte> to_program_; // received, not written yet
    std::uint32_t guest_closed_ = 0;    // vsock_no_* flags of the guest
    bool program_ended_ = false;        // it sends no more
    bool program_gone_ = false;         // it neither sends nor receives
    bool guest_gone_ = false;           // only to_program_ remains to be done
    bool end_passed_on_ = false;        // the program knows that the guest sends no more

    std::uint32_t shutdown_told_ = 0; // vsock_no_* flags that the guest knows of
    bool owes_request_ = false;
    bool owes_response_ = false;
    bool owes_credit_ = false;
    bool owes_reset_ = false;
};

} // namespace vmm
