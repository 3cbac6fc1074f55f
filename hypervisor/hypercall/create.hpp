// SPDX-License-Identifier: BSD-3-Clause
// The shape that all partition_create_* calls share.
#pragma once

#include "hypercall/handler.hpp"
#include "memory/partition.hpp"
#include "object/cspace.hpp"
#include "object/ref.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/rights.h>

#include <type_traits>
#include <utility>

namespace hyp {

/// x0 partition, x1 capability space, x2 zero -> x1 a capability with all rights to a new T.
/// Its memory counts to the partition.
template <typename T, typename... Parameters>
Outcome create_object(Vcpu& caller, Arguments a, Parameters&&... parameters) {
    RT_TRY(require_zero(a.x[2]));
    auto partition = caller.cspace().lookup_active<Partition>(a.x[0], GH_RIGHT_PARTITION_CREATE);
    if (!partition) {
        return fail(partition.error());
    }
    auto cspace = caller.cspace().lookup_active<Cspace>(a.x[1], GH_RIGHT_CSPACE_CAP_CREATE);
    if (!cspace) {
        return fail(cspace.error());
    }
    Ref<T> object;
    if constexpr (std::is_same_v<T, Partition>) {
        object = make_object<T>(*partition);
    } else {
        object = make_object<T>(std::forward<Parameters>(parameters)...);
    }
    RT_FAIL_IF(!object, Error::no_memory);
    RT_TRY(object->paid_by(**partition, sizeof(T)));
    const auto id = (*cspace)->insert(std::move(object), GH_RIGHTS_ALL);
    if (!id) {
        return fail(id.error());
    }
    return give(caller, *id);
}

} // namespace hyp
