// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on objects of any type (public API document, "Object Management").
#include "hypercall/create.hpp"
#include "hypercall/on_object.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

namespace {

/// The object of a capability in the caller's space.
Result<Ref<Object>> own_object(Vcpu& caller, CapId id, std::uint64_t reserved) {
    RT_TRY(require_zero(reserved));
    return caller.cspace().lookup_any(id, GH_RIGHT_OBJECT_ACTIVATE);
}

/// The object of a capability in a space that the caller may put capabilities into.
Result<Ref<Object>> object_from(Vcpu& caller, CapId space, CapId id, std::uint64_t reserved) {
    RT_TRY(require_zero(reserved));
    auto cspace = caller.cspace().lookup_active<Cspace>(space, GH_RIGHT_CSPACE_CAP_CREATE);
    if (!cspace) {
        return fail(cspace.error());
    }
    return (*cspace)->lookup_any(id, GH_RIGHT_OBJECT_ACTIVATE);
}

using Method = Result<> (Object::*)();

/// x0 capability, x1 zero.
template <Method method>
Outcome on_own(Vcpu& caller, Arguments a) {
    return answer(caller, own_object(caller, a.x[0], a.x[1]),
                  [](Object& object) { return (object.*method)(); });
}

/// x0 capability space, x1 capability in it, x2 zero.
template <Method method>
Outcome on_object_from(Vcpu& caller, Arguments a) {
    return answer(caller, object_from(caller, a.x[0], a.x[1], a.x[2]),
                  [](Object& object) { return (object.*method)(); });
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_PARTITION, entry<create_object<Partition>>},
    {GH_OBJECT_ACTIVATE, entry<on_own<&Object::activate>>},
    {GH_OBJECT_ACTIVATE_FROM, entry<on_object_from<&Object::activate>>},
    {GH_OBJECT_RESET, entry<on_own<&Object::reset>>},
    {GH_OBJECT_RESET_FROM, entry<on_object_from<&Object::reset>>},
};

} // namespace

std::span<const HypercallEntry> object_calls() {
    return entries;
}

} // namespace hyp
