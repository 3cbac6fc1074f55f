// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: hypercalls with any arguments by three VMs of different rights, in any order. When
// the VMs are gone, nothing of them may be left (Machine).
#include "argument.hpp"

namespace {

using fuzz::Machine;
using fuzz::Word;
using Input = vmm::fuzz::FuzzInput;

void step(Machine& machine, Input& input) {
    const auto action = input.take<std::uint8_t>();
    const unsigned cpu = action & 1;
    if (action >= 0xf8) {
        Machine::pass(input.take<std::uint32_t>());
    } else if (action >= 0xf0) {
        Machine::interrupt(cpu, input.take<std::uint8_t>() % 128);
    }
    hyp::Vcpu* const caller = machine.enter(cpu);
    if (caller == nullptr) {
        return;
    }
    const unsigned number = input.take<std::uint8_t>();
    std::array<Word, 8> arguments{};
    for (std::size_t i = 0; i < (action >> 1 & 7); ++i) {
        arguments[i] = fuzz::argument(machine, input);
    }
    machine.hypercall(cpu, *caller, number, arguments);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    Machine machine(input.take<std::uint32_t>());
    while (!input.empty()) {
        step(machine, input);
    }
    return 0;
}
