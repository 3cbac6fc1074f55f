// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on objects of any type (public API document, "Object Management").
#include "hypercall/on_object.hpp"

namespace hyp {

Outcome create_object(Vcpu& caller, Arguments a, std::size_t size, Maker make) {
    RT_TRY(require_zero(a.x[2]));
    const auto partition =
        RT_TRY(caller.cspace().lookup_active<Partition>(a.x[0], GH_RIGHT_PARTITION_CREATE));
    const auto cspace =
        RT_TRY(caller.cspace().lookup_active<Cspace>(a.x[1], GH_RIGHT_CSPACE_CAP_CREATE));
    Ref<Object> object = make(*partition);
    RT_FAIL_IF(!object, Error::no_memory);
    RT_TRY(object->paid_by(*partition, size));
    const CapId id = RT_TRY(cspace->insert(std::move(object), GH_RIGHTS_ALL));
    return give(caller, id);
}

namespace {

Ref<Object> make_partition(Partition& parent) {
    return make_object<Partition>(Ref(parent));
}

/// The object of a capability in the caller's space.
Result<Ref<Object>> own_object(Vcpu& caller, CapId id, std::uint64_t reserved) {
    RT_TRY(require_zero(reserved));
    return caller.cspace().lookup_any(id, GH_RIGHT_OBJECT_ACTIVATE);
}

/// The object of a capability in a space that the caller may put capabilities into.
Result<Ref<Object>> object_from(Vcpu& caller, CapId space, CapId id, std::uint64_t reserved) {
    RT_TRY(require_zero(reserved));
    auto cspace = RT_TRY(caller.cspace().lookup_active<Cspace>(space, GH_RIGHT_CSPACE_CAP_CREATE));
    return cspace->lookup_any(id, GH_RIGHT_OBJECT_ACTIVATE);
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
    {GH_PARTITION_CREATE_PARTITION, create<Partition, make_partition>},
    {GH_OBJECT_ACTIVATE, entry<on_own<&Object::activate>>},
    {GH_OBJECT_ACTIVATE_FROM, entry<on_object_from<&Object::activate>>},
    {GH_OBJECT_RESET, entry<on_own<&Object::reset>>},
    {GH_OBJECT_RESET_FROM, entry<on_object_from<&Object::reset>>},
};

} // namespace

constinit const std::span<const HypercallEntry> object_calls = entries;

} // namespace hyp
