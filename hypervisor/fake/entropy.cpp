// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for the machine's source of random numbers.
#include <arch/fake_entropy.hpp>

#include "platform/entropy.hpp"

namespace hyp {

std::optional<std::uint64_t>& fake::entropy() {
    static std::optional<std::uint64_t> word;
    return word;
}

std::optional<std::uint64_t> entropy_word() {
    return fake::entropy();
}

} // namespace hyp
