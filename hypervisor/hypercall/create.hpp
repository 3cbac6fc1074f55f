// SPDX-License-Identifier: BSD-3-Clause
// The shape that all partition_create_* calls share.
#pragma once

#include "hypercall/handler.hpp"
#include "memory/partition.hpp"
#include "object/ref.hpp"
#include "vcpu/vcpu.hpp"

#include <cstddef>

namespace hyp {

/// Makes an object in state init; empty if memory is short.
using Maker = Ref<Object> (*)(Partition& payer);

/// x0 partition, x1 capability space, x2 zero -> x1 a capability with all rights to a new object.
/// Its memory, `size` bytes, counts to the partition.
Outcome create_object(Vcpu& caller, Arguments a, std::size_t size, Maker make);

/// A row of a table: creates a T.
template <typename T, Maker make = [](Partition&) -> Ref<Object> { return make_object<T>(); }>
inline constexpr Handler create =
    entry<[](Vcpu& caller, Arguments a) { return create_object(caller, a, sizeof(T), make); }>;

} // namespace hyp
