// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls and objects for the checks.
#include "world.hpp"

#include <array>

extern "C" void rm_hypercall(const std::uint64_t* arguments, std::uint64_t number,
                             std::uint64_t* results);

namespace root {

const gh_rm_boot* boot;

namespace {

constexpr std::uint64_t all_access = GH_ACCESS_RWX;
constexpr std::uint64_t window = 0xc0000000; // rm::own_window: stage 1 maps it
constexpr std::uint16_t vmid = 0x77;

struct Temporary {
    std::uint64_t cap;
    bool is_thread;
};
std::array<Temporary, 64> temporaries;
std::size_t temporary_count = 0;
std::uint64_t pages_taken = 0; // of the RAM extent, from its end
std::uint64_t windows_taken = 0;

std::uint64_t keep(std::uint64_t cap, bool is_thread = false) {
    if (temporary_count == temporaries.size()) {
        fail("too many objects in one check");
    }
    temporaries[temporary_count++] = {cap, is_thread};
    return cap;
}

const gh_rm_boot_ram& ram() {
    return boot->ram[boot->ram_count - 1];
}

std::uint64_t create(unsigned number) {
    const Registers made = call(number, boot->partition_cap, boot->cspace_cap);
    expect_error("create", made, GH_ERROR_OK);
    return keep(made[1], number == GH_PARTITION_CREATE_THREAD);
}

void must(const char* what, const Registers& results) {
    expect_error(what, results, GH_ERROR_OK);
}

/// Of an SPI that no device of the board uses before Linux does.
std::uint64_t hwirq() {
    return reinterpret_cast<const std::uint64_t*>(boot->hwirq_caps_ipa)[boot->hwirq_count - 1];
}

std::uint64_t copy_of(std::uint64_t cap) {
    return with_rights(cap, GH_RIGHTS_ALL);
}

void configure_extent(std::uint64_t cap, std::uint64_t pages, std::uint64_t type) {
    pages_taken += pages;
    must("derive", call(GH_MEMEXTENT_CONFIGURE_DERIVE, cap, ram().extent_cap,
                        ram().range.size - pages_taken * page_size, pages * page_size,
                        all_access | type << GH_MEMEXTENT_ATTR_TYPE_SHIFT));
}

void configure_thread(std::uint64_t cap) {
    must("affinity", call(GH_VCPU_SET_AFFINITY, cap, 0, ~std::uint64_t{0}));
    must("cspace", call(GH_CSPACE_ATTACH_THREAD, make(Kind::cspace), cap));
    must("addrspace", call(GH_ADDRSPACE_ATTACH_THREAD, make(Kind::addrspace), cap));
}

void configure_virtio(std::uint64_t cap, bool input) {
    must("virtio",
         call(GH_VIRTIO_MMIO_CONFIGURE, cap, make(Kind::memextent), 2,
              input ? GH_VIRTIO_OPTION_TYPE_VALID : 0, GH_VIRTIO_DEVICE_INPUT, input ? 136 : 8));
    if (input) {
        must("input", call(GH_VIRTIO_INPUT_CONFIGURE, cap, 0x1234, 5, 2, 2));
    }
}

void configure(Kind kind, std::uint64_t cap) {
    switch (kind) {
    case Kind::own_cspace:
    case Kind::cspace:
        return must("cspace", call(GH_CSPACE_CONFIGURE, cap, 16));
    case Kind::addrspace:
        return must("addrspace", call(GH_ADDRSPACE_CONFIGURE, cap, vmid));
    case Kind::memextent:
        return configure_extent(cap, 1, GH_MEMEXTENT_TYPE_BASIC);
    case Kind::sparse:
    case Kind::ram:
        return configure_extent(cap, sparse_pages, GH_MEMEXTENT_TYPE_SPARSE);
    case Kind::thread:
        return configure_thread(cap);
    case Kind::msgqueue:
        return must("msgqueue", call(GH_MSGQUEUE_CONFIGURE, cap, 4 | 16 << 16));
    case Kind::vic:
        return must("vic", call(GH_VIC_CONFIGURE, cap, 1, 32));
    case Kind::virtio:
    case Kind::input:
        return configure_virtio(cap, kind == Kind::input);
    default:
        return;
    }
}

unsigned creating_call(Kind kind) {
    switch (kind) {
    case Kind::partition:
        return GH_PARTITION_CREATE_PARTITION;
    case Kind::own_cspace:
    case Kind::cspace:
        return GH_PARTITION_CREATE_CSPACE;
    case Kind::addrspace:
        return GH_PARTITION_CREATE_ADDRSPACE;
    case Kind::memextent:
    case Kind::sparse:
    case Kind::ram:
        return GH_PARTITION_CREATE_MEMEXTENT;
    case Kind::thread:
        return GH_PARTITION_CREATE_THREAD;
    case Kind::doorbell:
        return GH_PARTITION_CREATE_DOORBELL;
    case Kind::msgqueue:
        return GH_PARTITION_CREATE_MSGQUEUE;
    case Kind::watchdog:
        return GH_PARTITION_CREATE_WATCHDOG;
    case Kind::vic:
        return GH_PARTITION_CREATE_VIC;
    case Kind::vpm_group:
        return GH_PARTITION_CREATE_VPM_GROUP;
    default:
        return GH_PARTITION_CREATE_VIRTIO_MMIO;
    }
}

Registers smccc(unsigned number, const Registers& a) {
    register std::uint64_t x0 asm("x0") = GH_SMCCC_BASE + number;
    register std::uint64_t x1 asm("x1") = a[0];
    register std::uint64_t x2 asm("x2") = a[1];
    register std::uint64_t x3 asm("x3") = a[2];
    register std::uint64_t x4 asm("x4") = a[3];
    register std::uint64_t x5 asm("x5") = a[4];
    register std::uint64_t x6 asm("x6") = a[5];
    register std::uint64_t x7 asm("x7") = a[6];
    asm volatile("hvc #0"
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7)
                 :
                 : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");
    return {x0, x1, x2, x3, x4, x5, x6, x7};
}

} // namespace

Registers call(Form form, unsigned number, const Registers& arguments) {
    if (form == Form::smccc) {
        return smccc(number, arguments);
    }
    Registers results{};
    rm_hypercall(arguments.data(), number, results.data());
    return results;
}

std::uint64_t make(Kind kind, State state) {
    if (kind == Kind::hwirq) {
        return copy_of(hwirq());
    }
    if (state == State::active) {
        switch (kind) {
        case Kind::partition:
            return copy_of(boot->partition_cap);
        case Kind::own_cspace:
            return copy_of(boot->cspace_cap);
        case Kind::ram:
            return copy_of(ram().extent_cap);
        default:
            break;
        }
    }
    const std::uint64_t cap = create(creating_call(kind));
    if (state == State::active) {
        configure(kind, cap);
        must("activate", call(GH_OBJECT_ACTIVATE, cap));
    }
    return cap;
}

void adopt(std::uint64_t cap) {
    keep(cap);
}

std::uint64_t with_rights(std::uint64_t cap, std::uint32_t rights) {
    const Registers copied =
        call(GH_CSPACE_COPY_CAP_FROM, boot->cspace_cap, cap, boot->cspace_cap, rights);
    expect_error("copy", copied, GH_ERROR_OK);
    return keep(copied[1]);
}

void clean_up() {
    (void)call(GH_HWIRQ_UNBIND_VIRQ, hwirq());
    while (temporary_count != 0) {
        const Temporary& last = temporaries[--temporary_count];
        if (last.is_thread) {
            (void)call(GH_VCPU_KILL, last.cap);
        }
        (void)call(GH_CSPACE_DELETE_CAP_FROM, boot->cspace_cap, last.cap);
    }
    pages_taken = 0;
    windows_taken = 0;
}

std::array<std::uint64_t, 3> counters() {
    std::array<std::uint64_t, 3> values{};
    auto* value = values.begin();
    for (const gh_counter counter :
         {GH_COUNTER_OBJECTS, GH_COUNTER_CAPABILITIES, GH_COUNTER_PAGE_TABLE_PAGES}) {
        *value++ = call(GH_EXT_QUERY_COUNTER, boot->partition_cap, counter)[1];
    }
    return values;
}

std::uint64_t sparse_offset() {
    return ram().range.size - (pages_taken + sparse_pages) * page_size;
}

std::uint64_t ram_base() {
    return ram().range.base;
}

std::byte* look_into(std::uint64_t extent) {
    const std::uint64_t at = window + windows_taken++ * page_size;
    constexpr std::uint64_t attributes = GH_ACCESS_RW << GH_MAP_ATTR_KERNEL_SHIFT | GH_ACCESS_RW |
                                         std::uint64_t{GH_MAP_MEMTYPE_NORMAL_WB}
                                             << GH_MAP_ATTR_MEMTYPE_SHIFT;
    must("map", call(GH_ADDRSPACE_MAP, boot->addrspace_cap, extent, at, attributes));
    return reinterpret_cast<std::byte*>(at);
}

} // namespace root
