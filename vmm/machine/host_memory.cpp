// SPDX-License-Identifier: BSD-3-Clause
// Host memory checks: /proc/meminfo, RLIMIT_MEMLOCK and CAP_IPC_LOCK.
#include "machine/host_memory.hpp"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;

// The driver's check is skipped for who may lock memory anyway.
bool may_lock_without_limit() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
    return ::syscall(SYS_capget, &header, data) == 0 &&
           (data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective & CAP_TO_MASK(CAP_IPC_LOCK)) != 0;
}

} // namespace

std::optional<std::uint64_t> parse_available_memory(std::string_view meminfo) {
    constexpr std::string_view key = "MemAvailable:";
    const std::size_t line = meminfo.find(key);
    if (line == std::string_view::npos) {
        return std::nullopt;
    }
    meminfo.remove_prefix(line + key.size());
    meminfo.remove_prefix(std::min(meminfo.find_first_not_of(' '), meminfo.size()));
    std::uint64_t kibibytes = 0;
    const auto parsed = std::from_chars(meminfo.begin(), meminfo.end(), kibibytes);
    if (parsed.ec != std::errc{} || kibibytes > UINT64_MAX / 1024) {
        return std::nullopt;
    }
    return kibibytes * 1024;
}

std::optional<std::uint64_t> parse_whole_memory(std::string_view buddyinfo) {
    constexpr unsigned first_whole_order = 9;
    constexpr std::uint64_t page = 4096;
    constexpr std::uint64_t most_blocks = UINT32_MAX; // the sum cannot overflow
    constexpr unsigned most_orders = 12;
    std::optional<std::uint64_t> sum;
    std::istringstream lines{std::string{buddyinfo}};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t zone = line.find("zone");
        std::istringstream words{zone == std::string::npos ? std::string{} : line.substr(zone)};
        std::string name;
        words >> name >> name;
        std::uint64_t blocks = 0;
        for (unsigned order = 0; order < most_orders && words >> blocks; ++order) {
            const std::uint64_t bytes = std::min(blocks, most_blocks) * (page << order);
            sum = sum.value_or(0) + (order >= first_whole_order ? bytes : 0);
        }
    }
    return sum;
}

void require_available_memory(std::uint64_t size) {
    std::ifstream file{"/proc/meminfo"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto available = parse_available_memory(text);
    if (!available) {
        return; // without /proc the driver's own check has to do
    }
    if (size > *available) {
        throw Error{ErrorKind::no_resources,
                    fmt::format("cannot give the guest {} MiB of memory", size >> 20),
                    fmt::format("this machine has {} MiB available", *available >> 20),
                    "use a smaller --mem"};
    }
}

void allow_locked_memory(std::uint64_t size) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return;
    }
    const rlim_t wanted = limit.rlim_cur + size;
    rlimit raised{wanted, std::max(wanted, limit.rlim_max)};
    if (::setrlimit(RLIMIT_MEMLOCK, &raised) == 0) {
        return;
    }
    const int error_number = errno;
    if (may_lock_without_limit()) {
        return;
    }
    raised = {limit.rlim_max, limit.rlim_max};
    if (limit.rlim_max >= size && ::setrlimit(RLIMIT_MEMLOCK, &raised) == 0) {
        return; // up to the hard limit is enough
    }
    throw Error::from_errno(error_number,
                            fmt::format("cannot give the guest {} MiB of memory", size >> 20),
                            fmt::format("this user may lock only {} MiB", limit.rlim_max >> 20),
                            "raise the limit (ulimit -l, or memlock in /etc/security/limits.conf)"
                            " or run as root");
}

} // namespace vmm
