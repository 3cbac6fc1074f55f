// SPDX-License-Identifier: BSD-3-Clause
// TapBackend: a tap device of the host, with checksums and segmentation left to who can do them.
#pragma once

#include <string>
#include <vector>

#include "libgunyah/file_descriptor.hpp"
#include "net/net_backend.hpp"

namespace vmm {

// The host's kernel reads and writes the same header as the guest (IFF_VNET_HDR), and checks it.
class TapBackend : public NetBackend {
public:
    // Attaches to the tap device `name`; makes it if that is allowed. Throws gunyah::Error.
    explicit TapBackend(const std::string& name);

    // The largest packet that the host's device takes.
    [[nodiscard]] std::uint16_t mtu() const { return mtu_; }

    [[nodiscard]] std::uint64_t offloads() const override;
    void use_offloads(std::uint64_t features) override;
    [[nodiscard]] int fd() const override { return tap_.get(); }
    [[nodiscard]] bool is_open() const override { return open_; }
    bool can_send() override { return true; } // the kernel queues, or drops
    void send(const NetHeader& header, std::span<const std::span<const std::byte>> pieces) override;
    std::optional<NetFrame> front() override;
    void pop() override { size_ = 0; }

private:
    gunyah::FileDescriptor tap_;
    std::uint16_t mtu_ = 0;
    bool open_ = true;
    std::vector<std::byte> buffer_; // a header and a frame
    std::size_t size_ = 0;          // of what is in it
};

} // namespace vmm
