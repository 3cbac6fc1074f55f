// SPDX-License-Identifier: BSD-3-Clause
// TapBackend: /dev/net/tun.
#include "net/tap_backend.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::FileDescriptor;

constexpr std::uint64_t bit(unsigned number) {
    return std::uint64_t{1} << number;
}

struct Offload {
    unsigned feature;
    unsigned flag; // for TUNSETOFFLOAD: what the host may leave to the guest
};

constexpr Offload guest_offloads[] = {{net_feature::guest_checksum, TUN_F_CSUM},
                                      {net_feature::guest_tso4, TUN_F_TSO4},
                                      {net_feature::guest_tso6, TUN_F_TSO6},
                                      {net_feature::guest_ecn, TUN_F_TSO_ECN}};
// What the guest may leave to the host, which asks for nothing in advance.
constexpr std::uint64_t host_offloads = bit(net_feature::checksum) | bit(net_feature::host_tso4) |
                                        bit(net_feature::host_tso6) | bit(net_feature::host_ecn);

ifreq request_for(const std::string& name) {
    ifreq request{};
    std::memcpy(request.ifr_name, name.data(), std::min<std::size_t>(name.size(), IFNAMSIZ - 1));
    return request;
}

std::string advice_for(int error_number, const std::string& name) {
    switch (error_number) {
    case ENOENT:
    case ENODEV:
        return "load the kernel's module tun";
    case EPERM:
    case EACCES:
        return fmt::format("let root make it for you (ip tuntap add dev {} mode tap user $USER), "
                           "or use --net passt",
                           name);
    case EBUSY:
        return "another program uses it: every VM needs its own";
    default:
        return "";
    }
}

std::uint16_t mtu_of(const std::string& name) {
    constexpr int usual_mtu = 1500;
    const FileDescriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request = request_for(name);
    const bool known = ::ioctl(socket.get(), SIOCGIFMTU, &request) == 0;
    return static_cast<std::uint16_t>(known ? std::clamp(request.ifr_mtu, 68, 0xffff) : usual_mtu);
}

} // namespace

TapBackend::TapBackend(const std::string& name)
    : tap_{::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)},
      buffer_(sizeof(NetHeader) + longest_frame) {
    const std::string failed = fmt::format("--net tap: cannot use the device {}", name);
    ifreq request = request_for(name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    int header_size = sizeof(NetHeader);
    if (!tap_ || ::ioctl(tap_.get(), TUNSETIFF, &request) != 0 ||
        ::ioctl(tap_.get(), TUNSETVNETHDRSZ, &header_size) != 0 ||
        ::ioctl(tap_.get(), TUNSETOFFLOAD, 0) != 0) {
        const int error_number = errno;
        throw Error::from_errno(error_number, failed, "", advice_for(error_number, name));
    }
    mtu_ = mtu_of(name);
}

std::uint64_t TapBackend::offloads() const {
    std::uint64_t features = host_offloads;
    for (const Offload& offload : guest_offloads) {
        features |= bit(offload.feature);
    }
    return features;
}

void TapBackend::use_offloads(std::uint64_t features) {
    unsigned flags = 0;
    // VIRTIO 1.2, 5.1.3.1: no segments without checksums.
    if ((features & bit(net_feature::guest_checksum)) != 0) {
        for (const Offload& offload : guest_offloads) {
            flags |= (features & bit(offload.feature)) != 0 ? offload.flag : 0;
        }
    }
    ::ioctl(tap_.get(), TUNSETOFFLOAD, flags);
}

void TapBackend::send(const NetHeader& header, std::span<const std::span<const std::byte>> pieces) {
    std::vector<iovec> parts{{const_cast<NetHeader*>(&header), sizeof(header)}};
    for (const auto& piece : pieces) {
        parts.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
    }
    // A header that makes no sense, or a device that is down: the frame is lost.
    if (::writev(tap_.get(), parts.data(), static_cast<int>(parts.size())) < 0) {
        open_ = open_ && errno != EBADFD;
    }
}

std::optional<NetFrame> TapBackend::front() {
    if (size_ == 0 && open_) {
        const ssize_t count = ::read(tap_.get(), buffer_.data(), buffer_.size());
        if (count < 0) {
            open_ = errno != EBADFD; // somebody has removed the device
        }
        size_ =
            count > static_cast<ssize_t>(sizeof(NetHeader)) ? static_cast<std::size_t>(count) : 0;
    }
    if (size_ == 0) {
        return std::nullopt;
    }
    NetFrame frame{.header = {}, .bytes = std::span{buffer_}.first(size_)};
    std::memcpy(&frame.header, buffer_.data(), sizeof(NetHeader));
    frame.bytes = frame.bytes.subspan(sizeof(NetHeader));
    return frame;
}

} // namespace vmm
