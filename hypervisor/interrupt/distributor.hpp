// SPDX-License-Identifier: BSD-3-Clause
// The distributor's register frame (GICD) of a virtual GICv3 (IHI 0069, section 12.9).
#pragma once

#include "heap/names.hpp"
#include "memory/vdevice.hpp"

#include <runtime/thread_annotations.hpp>

#include <cstdint>

namespace hyp {

class Vic;
class Wakeups;

/// What is not implemented, and accesses of a wrong size, read as zero and ignore writes.
/// GICD_CTLR.RWP always reads as zero: what one vCPU takes back from another that runs on another
/// CPU (disable, clear pending) is gone as soon as that CPU has taken the kick it was sent.
class Distributor final : public Vdevice {
public:
    explicit Distributor(Vic& vic) : vic_(vic) {}

    bool access(MmioAccess& access) override;

private:
    [[nodiscard]] std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    HYP_CALLED_BY_NAME void write_bank(std::uint64_t offset, unsigned size, std::uint64_t value);
    [[nodiscard]] std::uint32_t read_control() const;
    void write_control(std::uint32_t value);
    [[nodiscard]] std::uint32_t type() const;
    [[nodiscard]] std::uint64_t read_route(std::uint64_t offset, unsigned size) const;
    void write_route(std::uint64_t offset, unsigned size, std::uint64_t value);

    Vic& vic_;
};

/// Identification registers 0xffd0..0xfffc, the same in every frame: GICv3.
std::uint32_t gic_identification(std::uint64_t offset);
/// GICD_IIDR and GICR_IIDR: no implementer has a number for us.
inline constexpr std::uint32_t gic_implementer = 0x47000000;

} // namespace hyp
