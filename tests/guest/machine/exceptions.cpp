// SPDX-License-Identifier: BSD-3-Clause
// The C++ half of the exception vectors.
#include "machine/exceptions.hpp"

#include "check/check.hpp"
#include "machine/cpus.hpp"
#include "machine/interrupts.hpp"
#include "machine/sysreg.hpp"

#include <array>

namespace test {

namespace {

enum class State { idle, expecting, taken, ignoring };

struct Expectation {
    State state = State::idle;
    Resume resume = Resume::after_instruction;
    Exception exception{};
};

constinit std::array<Expectation, max_cpus> expectations{};

void go_on(ExceptionFrame& frame, Resume resume) {
    constexpr std::uint64_t spsr_d = 1u << 9;
    constexpr std::uint64_t spsr_ss = 1u << 21;
    switch (resume) {
    case Resume::after_instruction:
        frame.elr += 4;
        break;
    case Resume::at_caller:
        frame.elr = frame.x[30];
        break;
    case Resume::same_instruction:
        frame.spsr = (frame.spsr | spsr_d) & ~spsr_ss;
        break;
    }
}

void handle_synchronous(ExceptionFrame& frame) {
    const Exception exception{READ_SYSREG(esr_el1), frame.elr, READ_SYSREG(far_el1)};
    Expectation& expectation = expectations[this_cpu()];
    if (expectation.state == State::ignoring) {
        go_on(frame, Resume::after_instruction);
        return;
    }
    if (expectation.state != State::expecting) {
        expectation.state = State::idle;
        fail("unexpected exception: ESR {x} ELR {x} (image + {x}) FAR {x}", exception.esr,
             exception.elr, image_offset(exception.elr), exception.far);
    }
    expectation.state = State::taken;
    expectation.exception = exception;
    go_on(frame, expectation.resume);
}

} // namespace

void begin_expecting(Resume resume) {
    Expectation& expectation = expectations[this_cpu()];
    expectation.resume = resume;
    expectation.state = State::expecting;
    asm volatile("" : : : "memory");
}

void begin_ignoring() {
    expectations[this_cpu()].state = State::ignoring;
    asm volatile("" : : : "memory");
}

void end_ignoring() {
    asm volatile("" : : : "memory");
    expectations[this_cpu()].state = State::idle;
}

std::optional<Exception> end_expecting() {
    asm volatile("" : : : "memory");
    Expectation& expectation = expectations[this_cpu()];
    const bool taken = expectation.state == State::taken;
    expectation.state = State::idle;
    return taken ? std::optional(expectation.exception) : std::nullopt;
}

extern "C" void handle_exception(ExceptionFrame* frame, unsigned vector) {
    constexpr unsigned current_el_sync = 4;
    constexpr unsigned current_el_irq = 5;
    if (vector == current_el_sync) {
        handle_synchronous(*frame);
    } else if (vector == current_el_irq) {
        handle_interrupt(frame->elr);
    } else {
        fail("unexpected exception by vector {}: ESR {x} ELR {x}", vector, READ_SYSREG(esr_el1),
             frame->elr);
    }
}

} // namespace test
