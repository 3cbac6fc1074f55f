// SPDX-License-Identifier: BSD-3-Clause
// The common form of all partition_create_* calls.
#pragma once

#include "hypercall/handler.hpp"
#include "object/cspace.hpp"
#include "object/partition.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/rights.h>

#include <utility>

namespace hyp {

/// x0 partition, x1 capability space, x2 zero -> a capability with all rights to a new T.
template <typename T>
rt::Result<Outputs> create_object(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[2]); !zero) {
        return rt::fail(zero.error());
    }
    auto partition = caller.cspace().lookup<Partition>(a.x[0], GH_RIGHT_PARTITION_CREATE);
    if (!partition) {
        return rt::fail(partition.error());
    }
    auto cspace = caller.cspace().lookup<Cspace>(a.x[1], GH_RIGHT_CSPACE_CAP_CREATE);
    if (!cspace) {
        return rt::fail(cspace.error());
    }
    Ref<T> object = make_object<T>();
    if (!object) {
        return rt::fail(rt::Error::no_memory);
    }
    auto id = (*cspace)->insert(std::move(object), GH_RIGHTS_ALL);
    if (!id) {
        return rt::fail(id.error());
    }
    return Outputs{*id};
}

} // namespace hyp
