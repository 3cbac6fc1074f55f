// SPDX-License-Identifier: BSD-3-Clause
// Calls of the hypervisor for which memory runs out: at each of their allocations, one after the
// other. The linker leads the heap's and the pool's allocate() here (see CMakeLists.txt).
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace model {

/// The hypervisor's pages, objects, capabilities and tables in use, as words to compare.
std::string resources();

/// Makes `call` while its first allocation fails, then while its second does, and so on, as long
/// as it answers NOMEM; `call` gives its error code. Every failure must leave all resources as
/// they were, and `unchanged`, which tells what is wrong, must agree. The last time, nothing has
/// failed, or `call` did without: its effects stay.
std::optional<std::string> starve(const std::function<std::int64_t()>& call,
                                  const std::function<std::optional<std::string>()>& unchanged);

/// How many allocations have failed, and at how many places of the hypervisor.
struct Starved {
    std::size_t allocations, places;
};
Starved starved();

} // namespace model
