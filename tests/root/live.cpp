// SPDX-License-Identifier: BSD-3-Clause
// Lists of commands for a vCPU that runs beside this program.
#include "live.hpp"

namespace root {

namespace {

constexpr std::uint64_t patience_ms = 10'000;

void must(const char* what, const Registers& results) {
    expect_error(what, results, GH_ERROR_OK);
}

} // namespace

void spin_ms(std::uint64_t ms) {
    const std::uint64_t start = ticks();
    while (ticks() - start < ticks_of_ms(ms)) {
    }
}

Live::Live(std::uint64_t cpu) : Guest(0, Schedule::by_itself), cpu_(cpu) {
    must("affinity", call(GH_VCPU_SET_AFFINITY, vcpu, cpu, ~std::uint64_t{0}));
}

void Live::wait_for_lists() {
    commands[0].what = await_command(0).what;
    commands[0].a = go;
    start();
}

void Live::begin(const Command* list, std::size_t count) {
    const auto put = [this](std::size_t at, const Command& command) {
        commands[at].what = command.what;
        commands[at].a = command.a;
        commands[at].b = command.b;
        commands[at].c = command.c;
    };
    for (std::size_t i = 0; i < count; ++i) {
        put(i + 1, list[i]);
    }
    put(count + 1, store_command(done, 1));
    put(count + 2, go_on_command(base + commands_offset));
    word(done) = 0;
    synchronise();
    word(go) = 1;
    synchronise();
}

void Live::finish() {
    const std::uint64_t start = ticks();
    for (synchronise(); word(done) == 0; synchronise()) {
        if (cpu_ == 0) {
            yield_to();
        }
        if (ticks() - start > ticks_of_ms(patience_ms)) {
            fail("the vCPU does not come to the end of its list on CPU {}", cpu_);
        }
    }
}

void Live::move(std::uint64_t cpu) {
    must("set_affinity", call(GH_VCPU_SET_AFFINITY, vcpu, cpu, ~std::uint64_t{0}));
    cpu_ = cpu;
}

void Live::count() {
    commands[0].what = count_command(0).what;
    commands[0].a = counter;
    start();
}

std::uint64_t Live::counted() const {
    synchronise();
    return word(counter);
}

void Live::yield_to() const {
    must("yield", call(GH_SCHEDULER_YIELD, GH_YIELD_TO_THREAD, vcpu));
}

} // namespace root
