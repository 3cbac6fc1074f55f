// SPDX-License-Identifier: BSD-3-Clause
// A conformance program that the hypervisor starts in place of the Resource Manager: it may make
// every call. Prints a line for each check and ends the machine.
#include "world.hpp"

#include "arm64/stage1.hpp"

#include <runtime/panic.hpp>
#include <runtime/startup.hpp>

#include <algorithm>

extern "C" {
[[gnu::returns_twice]] int save_context(std::uint64_t* context);
[[noreturn]] void restore_context(std::uint64_t* context);
extern const std::uint32_t off_program[];
}

namespace {

class Console final : public rt::Sink {
public:
    void write(std::string_view text) override {
        while (!text.empty()) {
            const std::string_view piece = text.substr(0, 32);
            root::Registers registers{root::boot->partition_cap, piece.size()};
            std::copy(piece.begin(), piece.end(), reinterpret_cast<char*>(&registers[2]));
            (void)root::call(root::Form::native, GH_EXT_CONSOLE_WRITE, registers);
            text.remove_prefix(piece.size());
        }
    }
};

Console the_console;

struct Totals {
    unsigned passed = 0;
    unsigned failed = 0;
};

Totals totals;
std::uint64_t context[13];
const char* running_group = nullptr;
const char* running_name = nullptr;

/// The primary VM's SYSTEM_OFF is the machine's; a vCPU with that option makes the call.
[[noreturn]] void power_off() {
    using namespace root;
    const std::uint64_t vcpu = make(Kind::thread, State::init);
    const std::uint64_t memory = make(Kind::memextent);
    const std::uint64_t space = make(Kind::addrspace);
    std::copy_n(off_program, 4, reinterpret_cast<std::uint32_t*>(look_into(memory)));
    constexpr std::uint64_t attributes = 0x77 | std::uint64_t{GH_MAP_MEMTYPE_NORMAL_WB}
                                                    << GH_MAP_ATTR_MEMTYPE_SHIFT;
    (void)call(GH_ADDRSPACE_MAP, space, memory, 0x10000, attributes);
    (void)call(GH_MEMEXTENT_MODIFY, memory,
               GH_MEMEXTENT_MODIFY_CACHE_FLUSH_RANGE | GH_MEMEXTENT_MODIFY_NOSYNC, 0, page_size);
    (void)call(GH_VCPU_CONFIGURE, vcpu, GH_VCPU_OPTION_HLOS);
    (void)call(GH_VCPU_SET_AFFINITY, vcpu, 0, ~std::uint64_t{0});
    (void)call(GH_CSPACE_ATTACH_THREAD, make(Kind::cspace), vcpu);
    (void)call(GH_ADDRSPACE_ATTACH_THREAD, space, vcpu);
    (void)call(GH_OBJECT_ACTIVATE, vcpu);
    (void)call(GH_VCPU_POWERON, vcpu, 0x10000, 0, 0);
    for (;;) {
        asm volatile("wfi");
    }
}

} // namespace

namespace root {

rt::Sink& console() {
    return the_console;
}

void fail_with(std::string_view text) {
    if (running_name == nullptr) {
        rt::panic("outside of the checks");
    }
    ++totals.failed;
    rt::print(the_console, "FAIL {}.{}: {}\n", running_group, running_name, text);
    restore_context(context);
}

[[gnu::noinline]] void run(const char* group, const char* name, void (*body)(const void*),
                           const void* argument) {
    running_group = group;
    running_name = name;
    const auto before = counters();
    if (save_context(context) == 0) {
        body(argument);
        clean_up();
        // Another CPU may still be about to let go of a vCPU.
        const std::uint64_t start = ticks();
        while (counters() != before && ticks() - start < ticks_of_ms(1000)) {
        }
        if (counters() != before) {
            fail("something is left: {} objects, {} capabilities, {} table pages more",
                 counters()[0] - before[0], counters()[1] - before[1], counters()[2] - before[2]);
        }
        ++totals.passed;
        rt::print(the_console, "ok {}.{}\n", group, name);
    }
    clean_up();
    running_name = nullptr;
}

} // namespace root

namespace rt {

void panic(const char* reason) {
    print(the_console, "PANIC: {}\n", reason);
    for (;;) {
        asm volatile("wfi");
    }
}

} // namespace rt

extern "C" [[noreturn]] void rm_exception(std::uint64_t entry, std::uint64_t syndrome,
                                          std::uint64_t pc, std::uint64_t address) {
    root::fail("exception {} at {x}: ESR_EL1 {x}, FAR_EL1 {x}", entry, pc, syndrome, address);
}

extern "C" [[noreturn]] void rm_main(const gh_rm_boot* boot) {
    rm::enable_stage1(boot->memory.size);
    root::boot = boot;
    rt::run_static_constructors();
    root::run_checks();
    rt::print(the_console, "{} passed, {} failed\n", totals.passed, totals.failed);
    power_off();
}
