// SPDX-License-Identifier: BSD-3-Clause
// check(): the ranges and rules that hold for options of every origin.
#include "app/run_options.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "libgunyah/error.hpp"
#include "machine/layout.hpp"
#include "net/mac_address.hpp"
#include "net/port_forward.hpp"
#include "virtio/share_device.hpp"

namespace vmm {
namespace {

constexpr std::uint64_t smallest_memory = std::uint64_t{16} << 20;
constexpr std::uint64_t largest_memory = std::uint64_t{1} << 40;
constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_disk_id = 20; // VIRTIO_BLK_ID_BYTES

void require(bool condition, const std::string& option, const std::string& why,
             const std::string& advice) {
    if (!condition) {
        throw gunyah::Error{gunyah::ErrorKind::invalid_input, option, why, advice};
    }
}

// A name becomes part of a file name.
bool is_name(std::string_view text) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789-_.";
    return text.size() <= longest_name && !text.starts_with('.') &&
           text.find_first_not_of(allowed) == std::string_view::npos;
}

void check_disk(const DiskOption& disk) {
    require(!disk.path.empty(), "--disk", "a disk needs a file name",
            "write --disk path=FILE, with two commas for one that is part of the name");
    require(disk.format.empty() || disk.format == "raw" || disk.format == "qcow2",
            fmt::format("--disk {}", disk.path),
            fmt::format("'{}' is no format known here", disk.format), "use raw or qcow2");
    require(disk.id.size() <= longest_disk_id, fmt::format("--disk {}", disk.path),
            fmt::format("the id '{}' is longer than 20 bytes", disk.id), "use a shorter one");
}

void check_share(const ShareOption& share) {
    require(!share.path.empty(), "--share", "it needs a directory",
            "write --share path=DIR,tag=NAME");
    require(share.tag.size() <= ShareDevice::longest_tag, fmt::format("--share {}", share.path),
            "its tag is longer than 255 bytes", "use a shorter one");
}

void check_shares(const std::vector<ShareOption>& shares) {
    require(shares.size() <= layout::max_shares, "--share",
            fmt::format("{} directories are too many", shares.size()),
            fmt::format("a guest has at most {}", layout::max_shares));
    std::ranges::for_each(shares, check_share);
    for (const ShareOption& share : shares) {
        const bool twice =
            !share.tag.empty() && std::ranges::count(shares, share.tag, &ShareOption::tag) > 1;
        require(!twice, fmt::format("--share {}", share.path),
                fmt::format("its tag '{}' stands there twice", share.tag), "use another one");
    }
}

void check_console(const ConsoleOption& console) {
    const int places = static_cast<int>(!console.to.empty()) +
                       static_cast<int>(!console.file.empty()) +
                       static_cast<int>(!console.socket.empty());
    require(places == 1, "--console", "a console is at one place",
            "write stdio, pty, none, file=FILE or socket=PATH");
    require(is_name(console.name), "--console",
            fmt::format("'{}' is no name for a stream", console.name),
            "use up to 64 letters, digits, '-', '_' and '.'");
}

void check_consoles(const std::vector<ConsoleOption>& consoles) {
    std::ranges::for_each(consoles, check_console);
    require(consoles.size() <= layout::max_consoles, "--console",
            fmt::format("{} consoles are too many", consoles.size()),
            fmt::format("a guest has at most {}", layout::max_consoles));
    require(consoles.empty() || consoles.front().name.empty(), "--console",
            "the first one is the guest's console and has no name",
            "put one without name= before it, such as --console stdio");
    require(std::ranges::count(consoles, "stdio", &ConsoleOption::to) <= 1, "--console",
            "two consoles cannot share stdio", "use pty for one of them");
    for (const ConsoleOption& console : consoles) {
        require(console.name.empty() ||
                    std::ranges::count(consoles, console.name, &ConsoleOption::name) == 1,
                "--console", fmt::format("'{}' is the name of two", console.name),
                "use another name");
    }
}

void check_net(const NetOption& net) {
    constexpr std::size_t longest_device_name = 15; // IFNAMSIZ
    require(net.backend.empty() || net.backend == "passt" || net.backend == "tap", "--net",
            fmt::format("'{}' is no network known here", net.backend), "use passt or tap=DEVICE");
    require((net.backend != "tap" || !net.tap.empty()) &&
                (net.backend != "passt" || net.tap.empty()),
            "--net", "a tap device is named for tap, and only for it", "write --net tap=DEVICE");
    require(net.tap.size() <= longest_device_name && net.tap.find('/') == std::string::npos,
            "--net", fmt::format("tap: '{}' is no name of a network device", net.tap), "");
    require(net.tap.empty() || net.forwards.empty(), "--net",
            "forward: a tap device needs none, the guest has an address of its own",
            "leave it out, or use passt");
    require(net.mac.empty() || parse_mac(net.mac), "--net",
            fmt::format("mac: '{}' is no address of a network device", net.mac),
            "write it as 02:00:00:00:00:01");
    for (const std::string& forward : net.forwards) {
        require(parse_forward(forward).has_value(), "--net",
                fmt::format("forward: '{}' is no port to forward", forward),
                "write tcp:HOSTPORT:PORT or udp:HOSTPORT:PORT");
    }
}

void check_vsock(const VsockOption& vsock) {
    constexpr std::uint32_t first_guest_cid = 3; // VIRTIO 1.2, 5.10.4
    require(vsock.cid >= first_guest_cid && vsock.cid != UINT32_MAX, "--vsock",
            fmt::format("{} is no CID for a guest", vsock.cid), "use 3 or more");
}

} // namespace

std::vector<ConsoleOption> consoles_of(const RunOptions& options) {
    if (!options.consoles.empty()) {
        return options.consoles;
    }
    ConsoleOption only;
    only.to = "stdio";
    return {only};
}

void check(const RunOptions& options) {
    require(!options.kernel.empty(), "--kernel is required", "a guest needs a kernel to boot",
            "give an arm64 Image, such as Debian's /boot/vmlinuz-*-arm64");
    require(is_name(options.name), "--name", fmt::format("'{}' is no name for a VM", options.name),
            "use up to 64 letters, digits, '-', '_' and '.'");
    require(options.cpus >= 1 && options.cpus <= layout::max_cpus, "--cpus",
            fmt::format("{} is not from 1 to {}", options.cpus, layout::max_cpus), "");
    require(options.memory % layout::ram_alignment == 0, "--mem", "not a multiple of 2M", "");
    require(options.memory >= smallest_memory && options.memory <= largest_memory, "--mem",
            "not from 16M to 1024G", "");
    require(options.disks.size() <= layout::max_disks, "--disk",
            fmt::format("{} disks are too many", options.disks.size()),
            fmt::format("a guest has at most {}", layout::max_disks));
    std::ranges::for_each(options.disks, check_disk);
    check_shares(options.shares);
    check_consoles(options.consoles);
    require(options.nets.size() <= layout::max_networks, "--net",
            fmt::format("{} network devices are too many", options.nets.size()),
            fmt::format("a guest has at most {}", layout::max_networks));
    std::ranges::for_each(options.nets, check_net);
    require(options.vsocks.size() <= 1, "--vsock", "a guest has only one", "give it once");
    std::ranges::for_each(options.vsocks, check_vsock);
}

} // namespace vmm
