// SPDX-License-Identifier: BSD-3-Clause
// A VM that this program creates and runs by vcpu_run; and what its Resource Manager needs for
// that.
#include "calls.hpp"
#include "measure.hpp"
#include "rows.hpp"

#include "vm/guest.hpp"

#include <abi/hypercall.h>

namespace bench {

namespace {

using test::Check;
using test::guest;

void finish() {
    guest().stop();
    guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    guest().tear_down();
}

// The guest's side of a round is one store and one branch.
void vcpu_run() {
    guest().create_and_boot();
    guest().prepare(0, test::Operation::store_for_ever, {test::guest_signal});
    guest().run_to_signal(0);
    const std::uint64_t vcpu = guest().vcpu_cap(0);
    row("vcpu_run.mmio_write", [=] { hvc<GH_HVC_IMM_BASE + GH_VCPU_RUN>(vcpu); });
    finish();
}

constexpr Check rows[] = {
    {"bench.vcpu_run", vcpu_run},
};

} // namespace

std::span<const Check> guest_rows() {
    return rows;
}

} // namespace bench
