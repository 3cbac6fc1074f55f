// SPDX-License-Identifier: BSD-3-Clause
// The state of one virtual interrupt, as the GIC architecture defines it (IHI 0069, section 4.1).
#pragma once

#include <runtime/intrusive_list.hpp>

#include <cstdint>

namespace hyp {

class VicCpu;
class VirqSource;

struct ReadyListTag {};

inline constexpr std::uint32_t first_ppi = 16;
inline constexpr std::uint32_t first_spi = 32;
inline constexpr std::uint32_t spi_end = 1020; // one past the last INTID of an SPI

/// Guarded by the lock of its VIC. At any time it is in one of three places: nowhere (idle or
/// disabled), on the ready list of `holder` (pending and enabled, or active), or in list register
/// `list_register` of `holder`, whose content then is the truth about pending and active.
class Virq : public rt::ListNode<ReadyListTag> {
public:
    VirqSource* source = nullptr;
    VicCpu* holder = nullptr;   // on whose ready list or in whose list register
    std::uint64_t affinity = 0; // of an SPI: GICD_IROUTER
    std::uint32_t intid = 0;
    std::uint32_t physical = 0;     // INTID of the hardware interrupt behind it; 0: none
    std::int8_t list_register = -1; // -1: in none
    std::uint8_t priority = 0;      // 0 highest; only bits 7:3 exist
    std::uint8_t vcpu = 0;          // private: its vCPU's index; SPI: where it was last routed to
    bool enabled = false;
    bool group0 = false; // GICD_IGROUPR: signalled as FIQ
    bool edge = false;   // trigger that the guest configured
    bool latch = false;  // an edge, or a write to ISPENDR, waits for delivery
    bool line = false;   // level of the source
    bool active = false;
    bool announced = false; // its vCPU was told and has not looked yet
    // While in a list register:
    bool latch_loaded = false; // the pending state there came from the latch
    bool drop_pending = false; // ICPENDR, unbind: forget the pending state there
    bool drop_active = false;  // ICACTIVER
    bool force_active = false; // ISACTIVER

    /// The source's level changed, or there is a source now.
    void set_line(bool level) {
        line = level;
        latch = latch || (level && edge);
    }
    /// An SPI that the hardware raises: its settings are the physical one's, too.
    [[nodiscard]] bool is_physical_spi() const { return physical != 0 && !is_private(); }
    [[nodiscard]] bool pending() const { return latch || (line && !edge); }
    [[nodiscard]] bool is_private() const { return intid < first_spi; }
    /// The pending state once a list register with state pending (or not) were folded back.
    [[nodiscard]] bool pending_after(bool register_pending) const {
        return pending() || (register_pending && latch_loaded && !drop_pending);
    }
    [[nodiscard]] bool active_after(bool register_active) const {
        return (register_active && !drop_active) || force_active;
    }
    [[nodiscard]] bool loaded() const { return list_register >= 0; }
};

} // namespace hyp
