// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on capability spaces (public API document, "Capability Management").
#include "hypercall/on_object.hpp"
#include "object/cspace.hpp"

#include <limits>

namespace hyp {

namespace {

/// x0 source space, x1 capability in it, x2 destination space, x3 rights mask, x4 zero -> the copy.
Outcome cspace_copy_cap_from(Vcpu& caller, Arguments a) {
    RT_TRY(require_zero(a.x[4]));
    RT_FAIL_IF(a.x[3] > std::numeric_limits<std::uint32_t>::max(), Error::argument_invalid);
    auto source = RT_TRY(caller.cspace().lookup_active<Cspace>(a.x[0], GH_RIGHT_CSPACE_CAP_COPY));
    auto destination =
        RT_TRY(caller.cspace().lookup_active<Cspace>(a.x[2], GH_RIGHT_CSPACE_CAP_CREATE));
    auto id = source->copy(a.x[1], *destination, static_cast<std::uint32_t>(a.x[3]));
    return id ? give(caller, *id) : fail(id.error());
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_CSPACE, create<Cspace>},
    {GH_CSPACE_DELETE_CAP_FROM, active<&Cspace::remove, GH_RIGHT_CSPACE_CAP_DELETE>},
    {GH_CSPACE_COPY_CAP_FROM, entry<cspace_copy_cap_from>},
    {GH_CSPACE_REVOKE_CAP_FROM, active<&Cspace::revoke, GH_RIGHT_CSPACE_CAP_DELETE>},
    {GH_CSPACE_REVOKE_CAPS_FROM, active<&Cspace::revoke_children, GH_RIGHT_CSPACE_CAP_DELETE>},
    {GH_CSPACE_CONFIGURE, any_state<&Cspace::configure, GH_RIGHT_OBJECT_ACTIVATE>},
};

} // namespace

constinit const std::span<const HypercallEntry> cspace_calls = entries;

} // namespace hyp
