// SPDX-License-Identifier: BSD-3-Clause
// allow_open_files(): the soft limit becomes the hard one.
#include "app/open_files.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace vmm {

std::size_t allow_open_files() {
    constexpr rlim_t unknown = 256;
    constexpr rlim_t plenty = 65536;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return unknown / 2;
    }
    const rlimit raised{std::max(limit.rlim_cur, std::min(limit.rlim_max, plenty)), limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
        limit = raised;
    }
    return static_cast<std::size_t>(std::min(limit.rlim_cur, plenty)) / 2;
}

} // namespace vmm
