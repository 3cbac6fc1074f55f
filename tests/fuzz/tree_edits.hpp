// SPDX-License-Identifier: BSD-3-Clause
// Device trees out of a fuzzer's bytes: a good tree and what the input changes in it.
#pragma once

#include <vmm/fuzz/fuzz_input.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace fuzz {

/// A tree of unknown content, in a buffer of exactly its size, so that the sanitizers see each byte
/// beyond.
using Tree = std::vector<std::byte>;

/// `good`, with properties and nodes that the input changes, removes and adds; at the end perhaps
/// bytes of the blob, too. If the input begins with a tree's magic number it is the whole tree.
Tree edited_tree(std::span<const std::byte> good, vmm::fuzz::FuzzInput& input);

} // namespace fuzz
