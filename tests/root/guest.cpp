// SPDX-License-Identifier: BSD-3-Clause
// Making and running the checks' VM.
#include "guest.hpp"

#include <algorithm>

extern "C" const std::byte guest_program[], guest_program_end[];

namespace root {

namespace {

void must(const char* what, const Registers& results) {
    expect_error(what, results, GH_ERROR_OK);
}

} // namespace

Guest::Guest(std::uint64_t address_space, Schedule schedule)
    : space(address_space != 0 ? address_space : make(Kind::addrspace)), vic(make(Kind::vic)),
      vcpu(make(Kind::thread, State::init)), group(make(Kind::vpm_group)),
      memory(make(Kind::memextent)), view(look_into(memory)),
      commands(reinterpret_cast<volatile Command*>(view + commands_offset)) {
    std::copy(guest_program, guest_program_end, view);
    map(memory, base, GH_ACCESS_RWX);
    must("affinity", call(GH_VCPU_SET_AFFINITY, vcpu, 0, ~std::uint64_t{0}));
    must("cspace", call(GH_CSPACE_ATTACH_THREAD, make(Kind::cspace), vcpu));
    must("addrspace", call(GH_ADDRSPACE_ATTACH_THREAD, space, vcpu));
    must("vic", call(GH_VIC_ATTACH_VCPU, vic, vcpu, 0));
    must("group", call(GH_VPM_GROUP_ATTACH_VCPU, group, vcpu, 0));
    if (schedule == Schedule::proxied) {
        must("wake-up",
             call(GH_VCPU_BIND_VIRQ, vcpu, make(Kind::vic), 40, GH_VCPU_VIRQ_RUN_WAKEUP));
    }
}

void Guest::map(std::uint64_t extent, std::uint64_t ipa, std::uint64_t access) const {
    const std::uint64_t attributes = access | access << GH_MAP_ATTR_KERNEL_SHIFT |
                                     std::uint64_t{GH_MAP_MEMTYPE_NORMAL_WB}
                                         << GH_MAP_ATTR_MEMTYPE_SHIFT;
    must("map", call(GH_ADDRSPACE_MAP, space, extent, ipa, attributes));
}

/// Its caches are off.
void Guest::synchronise() const {
    must("clean",
         call(GH_MEMEXTENT_MODIFY, memory,
              GH_MEMEXTENT_MODIFY_CACHE_FLUSH_RANGE | GH_MEMEXTENT_MODIFY_NOSYNC, 0, page_size));
}

void Guest::start() {
    synchronise();
    must("activate", call(GH_OBJECT_ACTIVATE, vcpu));
    must("power on", call(GH_VCPU_POWERON, vcpu, base, base + commands_offset, 0));
}

Registers Guest::run() const {
    for (;;) {
        const Registers results = call(GH_VCPU_RUN, vcpu);
        must("vcpu_run", results);
        if (results[1] != GH_VCPU_STATE_READY) {
            synchronise();
            return results;
        }
    }
}

} // namespace root
