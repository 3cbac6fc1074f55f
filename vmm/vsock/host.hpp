// SPDX-License-Identifier: BSD-3-Clause
// VsockHost: the host's side of a guest's vsock: its socket, and all connections.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "libgunyah/event_fd.hpp"
#include "libgunyah/file_descriptor.hpp"
#include "virtio/wait_set.hpp"
#include "vsock/connection.hpp"
#include "vsock/packet.hpp"

namespace vmm {

// Programs connect to a socket, write "CONNECT port\n" and get "OK port\n" once the guest has
// accepted. What the guest connects to, port N of CID 2, is a program's socket too. One call at a
// time.
class VsockHost {
public:
    static constexpr std::size_t most_connections = 512;

    // A packet for the guest.
    struct Packet {
        VsockHeader header;
        std::span<const std::byte> payload; // until the next call
    };

    // A connection that does not block to the program for a port of CID 2; none if there is none.
    using Connector = std::function<gunyah::FileDescriptor(std::uint32_t port)>;

    // `listener`: where programs connect, does not block. Throws gunyah::Error.
    VsockHost(std::uint64_t guest_cid, gunyah::FileDescriptor listener, Connector connector);
    VsockHost(const VsockHost&) = delete;
    VsockHost& operator=(const VsockHost&) = delete;
    ~VsockHost() = default;

    [[nodiscard]] std::uint64_t guest_cid() const { return guest_cid_; }
    // Readable while poll() would find something.
    [[nodiscard]] int fd() const { return waiting_.fd(); }
    void poll();

    // Whether the guest's packets are taken: no answers are waiting in great number.
    [[nodiscard]] bool can_receive() const { return resets_.size() < most_resets; }
    // A packet of the guest: `payload` has the length that its header says.
    void receive(const VsockHeader& header, std::span<const std::span<const std::byte>> payload);

    // Whether there is a packet for the guest. Reads from programs for it.
    bool has_packet();
    // That packet, cut after `most` bytes of data; after has_packet() only.
    Packet take_packet(std::size_t most);

    // The guest's driver has started anew: all connections end.
    void reset();

    [[nodiscard]] std::size_t connections() const { return connections_.size(); }

private:
    using Id = std::uint64_t;
    using Ports = std::pair<std::uint32_t, std::uint32_t>; // the guest's, the host's
    struct Entry {
        explicit Entry(VsockConnection made) : connection{std::move(made)} {}
        VsockConnection connection;
        int watched = -1;         // the descriptor that waiting_ has
        std::uint32_t events = 0; // that it is waited for
        bool readable = false;    // as far as is known
        bool queued = false;      // is in ready_
    };
    static constexpr std::size_t most_resets = 128;
    static constexpr std::size_t read_size = 64 * 1024;
    static constexpr Id listener_id = 0;

    void accept();
    void connect(const VsockHeader& request);
    Entry* add(VsockConnection connection);
    void handle_event(Id id, Entry& entry, std::uint32_t events);
    void greet(Id id, Entry& entry);
    // To be called after anything that may have changed a connection.
    void settle(Id id, Entry& entry);
    void watch(Id id, Entry& entry);
    void forget(Id id);
    void listen(bool wanted);
    void refuse(const VsockHeader& header);
    VsockHeader addressed(VsockHeader header, const VsockConnection& connection) const;
    bool prepare(Entry& entry);

    std::uint64_t guest_cid_;
    gunyah::FileDescriptor listener_;
    Connector connector_;
    WaitSet waiting_;
    bool listening_ = false;
    std::map<Id, Entry> connections_;
    std::map<Ports, Id> by_ports_;
    Id next_id_ = listener_id + 1;
    std::uint32_t next_host_port_ = 1U << 30;
    std::deque<Id> ready_;            // connections that may have a packet; some have gone
    std::deque<VsockHeader> resets_;  // for connections that are not there
    std::optional<VsockHeader> next_; // what take_packet() gives
    std::vector<std::byte> data_;
    std::size_t data_begin_ = 0;
    std::size_t data_end_ = 0;
};

} // namespace vmm
