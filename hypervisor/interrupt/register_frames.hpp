// SPDX-License-Identifier: BSD-3-Clause
// The register frames of a virtual GICv3 (IHI 0069, sections 12.9 to 12.11). What is not
// implemented, and accesses of a wrong size, read as zero and ignore writes.
#pragma once

#include "heap/names.hpp"
#include "memory/vdevice.hpp"

#include <cstdint>

namespace hyp {

class Vic;

/// The distributor (GICD). GICD_CTLR.RWP always reads as zero: what one vCPU takes back from
/// another that runs on another CPU (disable, clear pending) is gone as soon as that CPU has taken
/// the kick it was sent.
class Distributor final : public Vdevice {
public:
    explicit Distributor(Vic& vic) : vic_(vic) {}

private:
    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
    HYP_CALLED_BY_NAME void write_bank(std::uint64_t offset, unsigned size, std::uint64_t value);
    [[nodiscard]] std::uint32_t read_control() const;
    void write_control(std::uint32_t value);
    [[nodiscard]] std::uint32_t type() const;
    [[nodiscard]] std::uint64_t read_route(std::uint64_t offset, unsigned size) const;
    void write_route(std::uint64_t offset, unsigned size, std::uint64_t value);

    Vic& vic_;
};

/// One vCPU's redistributor (GICR: RD_base, then SGI_base). All of it reads as zero while no vCPU
/// is attached at this index.
class Redistributor final : public Vdevice {
public:
    /// `index`: attachment index of the vCPU. Before any access.
    void init(Vic& vic, unsigned index) {
        vic_ = &vic;
        index_ = index;
    }

private:
    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
    [[nodiscard]] std::uint64_t type() const;
    [[nodiscard]] std::uint32_t read_waker() const;
    void write_waker(std::uint32_t value);

    Vic* vic_ = nullptr;
    unsigned index_ = 0;
};

} // namespace hyp
