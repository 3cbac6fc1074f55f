// SPDX-License-Identifier: BSD-3-Clause
// Outcome: how a run of a guest ended, in a number and a sentence.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "app/exit_status.hpp"
#include "libgunyah/vcpu.hpp"

namespace vmm {

struct Outcome {
    ExitStatus status;
    std::string sentence;
};

Outcome outcome_of(const gunyah::VmStopped& stopped);
Outcome outcome_of(const gunyah::RunFailed& failed, unsigned vcpu);

// Several threads may see the end; the first report counts.
class OutcomeSlot {
public:
    void report(Outcome outcome);
    [[nodiscard]] std::optional<Outcome> get() const;

private:
    mutable std::mutex mutex_;
    std::optional<Outcome> outcome_;
};

} // namespace vmm
