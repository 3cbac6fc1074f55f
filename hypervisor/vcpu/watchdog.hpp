// SPDX-License-Identifier: BSD-3-Clause
// A watchdog: a VM that does not feed it in time hears a bark, an interrupt, and then is bitten.
//
//                enable                bark time               bite time
//     disabled <--------> counting ---------------> barked ---------------> bitten
//               disable       ^    ping, set_times    |       (the VM has ended)
//                             +-----------------------+
//
// While its freeze count is not zero the count stands still, whatever the state.
#pragma once

#include "heap/names.hpp"
#include "interrupt/soft_timer.hpp"
#include "interrupt/virq_source.hpp"
#include "object/object.hpp"

#include <runtime/intrusive_list.hpp>

#include <atomic>
#include <cstdint>

namespace hyp {

class Vcpu;
struct WatchdogTag {};

/// Calls but configure need an active object and are safe from any CPU.
///
/// The bite ends the vCPUs that are attached with run state FAULT, or, if the watchdog was
/// configured as critical, resets the machine.
/// Lock order: lock_, the timers' queue, members_lock_, Vcpu. The timers' callbacks take no lock_.
class Watchdog final : public Object {
public:
    static constexpr ObjectType type = ObjectType::watchdog;
    static constexpr std::uint64_t max_milliseconds = 0x7fff;

    Watchdog() : Object(type), bark_timer_(on_bark, this), bite_timer_(on_bite, this) {}

    /// GH_WATCHDOG_OPTION_*. Errors: argument_invalid, object_state (already active).
    Result<> configure(std::uint64_t option_flags) RT_EXCLUDES(config_lock);

    /// By a vCPU that holds a reference to the watchdog, until it dies.
    void attach(Vcpu& vcpu) RT_EXCLUDES(members_lock_);
    void detach(Vcpu& vcpu) RT_EXCLUDES(members_lock_);

    /// Errors: those of VirqSource::bind.
    Result<> bind(bool bite, Vic& vic, VirqInfo info) { return source(bite).bind(vic, info); }
    void unbind(bool bite) { source(bite).unbind(); }

    // By the VM.
    void enable(bool on) RT_EXCLUDES(lock_);
    /// The count starts at zero again.
    void ping() RT_EXCLUDES(lock_);
    /// Milliseconds from the last ping, up to max_milliseconds; bark 0 barks with the bite. Counts
    /// as a ping. Error: argument_invalid.
    Result<> set_times(std::uint64_t bark, std::uint64_t bite) RT_EXCLUDES(lock_);
    struct Status {
        bool enabled;
        std::uint64_t milliseconds; // of the count
    };
    [[nodiscard]] Status status() RT_EXCLUDES(lock_);

    // By its manager: GH_WATCHDOG_MANAGE_*. Freezes nest. Errors: argument_invalid, busy (the
    // freeze count would over- or underflow).
    Result<> manage(std::uint64_t operation) RT_EXCLUDES(lock_);

private:
    ~Watchdog() override = default;
    void on_destroy() override;
    static void on_bark(void* watchdog);
    static void on_bite(void* watchdog);
    void end_members() RT_EXCLUDES(members_lock_);
    [[nodiscard]] VirqSource& source(bool bite) { return bite ? bite_virq_ : bark_virq_; }
    [[nodiscard]] bool counting() const RT_REQUIRES(lock_) { return enabled_ && freezes_ == 0; }
    [[nodiscard]] std::uint64_t count() const RT_REQUIRES(lock_);
    void halt_count() RT_REQUIRES(lock_);
    void go_on(std::uint64_t from) RT_REQUIRES(lock_);

    bool critical_ = false; // fixed once active
    Spinlock lock_;
    bool enabled_ RT_GUARDED_BY(lock_) = false;
    std::uint32_t freezes_ RT_GUARDED_BY(lock_) = 0;
    std::uint64_t bark_ms_ RT_GUARDED_BY(lock_) = max_milliseconds;
    std::uint64_t bite_ms_ RT_GUARDED_BY(lock_) = max_milliseconds;
    std::uint64_t base_ RT_GUARDED_BY(lock_) = 0; // counter value where the count was zero
    std::uint64_t kept_ RT_GUARDED_BY(lock_) = 0; // the count, in ticks, while it stands still
    std::atomic<bool> bitten_{false};
    SoftTimer bark_timer_;
    SoftTimer bite_timer_;
    VirqSource bark_virq_;
    VirqSource bite_virq_;
    Spinlock members_lock_;
    rt::IntrusiveList<Vcpu, WatchdogTag> members_ RT_GUARDED_BY(members_lock_);
};

} // namespace hyp
