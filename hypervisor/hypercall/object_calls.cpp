// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls that any object has (public API document, "Object Management").
#include "hypercall/handler.hpp"
#include "object/cspace.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

using rt::fail;
using rt::Result;

namespace {

using Operation = Result<> (*)(Object&);

// `space` is the caller's own one or the one that it names.
Result<Outputs> apply(Cspace& space, CapId id, std::uint64_t reserved, Operation operation) {
    if (auto zero = require_zero(reserved); !zero) {
        return fail(zero.error());
    }
    auto object = space.lookup_any(id, GH_RIGHT_OBJECT_ACTIVATE);
    return object ? done(operation(**object)) : fail(object.error());
}

Result<Outputs> apply_from(Vcpu& caller, const Arguments& a, Operation operation) {
    auto space = caller.cspace().lookup_active<Cspace>(a.x[0], GH_RIGHTS_NONE);
    return space ? apply(**space, a.x[1], a.x[2], operation) : fail(space.error());
}

Result<> activate(Object& object) {
    return object.activate();
}

Result<> reset(Object& object) {
    return object.reset();
}

Result<Outputs> object_activate(Vcpu& caller, const Arguments& a) {
    return apply(caller.cspace(), a.x[0], a.x[1], activate);
}

Result<Outputs> object_activate_from(Vcpu& caller, const Arguments& a) {
    return apply_from(caller, a, activate);
}

Result<Outputs> object_reset(Vcpu& caller, const Arguments& a) {
    return apply(caller.cspace(), a.x[0], a.x[1], reset);
}

Result<Outputs> object_reset_from(Vcpu& caller, const Arguments& a) {
    return apply_from(caller, a, reset);
}

constexpr HypercallEntry entries[] = {
    {GH_OBJECT_ACTIVATE, object_activate},
    {GH_OBJECT_ACTIVATE_FROM, object_activate_from},
    {GH_OBJECT_RESET, object_reset},
    {GH_OBJECT_RESET_FROM, object_reset_from},
};

} // namespace

std::span<const HypercallEntry> object_calls() {
    return entries;
}

} // namespace hyp
