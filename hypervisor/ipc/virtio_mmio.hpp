// SPDX-License-Identifier: BSD-3-Clause
// A virtio-mmio device between two VMs: the frontend's driver sees registers, the backend makes
// hypercalls (VIRTIO 1.1, 4.2.2).
//
// The registers are a page of memory that the frontend has mapped read-only: its loads read what is
// there, its stores fault and come to us. The backend has the page mapped writable for IDs and
// device-specific configuration; nothing in it is ever believed.
//
//   Status as the frontend drives it:
//                ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK
//     reset (0) --------------------------------------------> live
//        ^                                                       |  writes 0: RESET_RQST
//        +------------------- resetting <------------------------+
//           acknowledge_reset  (Status still shows what it was; stores are ignored)
#pragma once

#include "heap/names.hpp"
#include "interrupt/virq_source.hpp"
#include "ipc/virtio_input.hpp"
#include "memory/memextent.hpp"
#include "object/object.hpp"
#include "object/ref.hpp"

#include <runtime/intrusive_list.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace hyp {

struct VirtioMmioTag {};

/// Calls but the configuring ones need an active object and are safe from any CPU.
/// Lock order: lock_, VirqSource; the list of all devices is a leaf.
class VirtioMmio final : public Object, public rt::ListNode<VirtioMmioTag> {
public:
    static constexpr ObjectType type = ObjectType::virtio_mmio;
    static constexpr std::uint64_t max_queues = 64; // bits of a notification
    static constexpr std::uint64_t max_queue_size = 32768;
    static constexpr std::uint64_t config_offset = 0x100;

    VirtioMmio() : Object(type) {}

    struct Configuration {
        std::uint64_t queues;
        std::optional<std::uint64_t> device_type; // GH_VIRTIO_DEVICE_INPUT is the one we know
        std::uint64_t config_size;                // bytes behind config_offset
    };
    /// The page is a basic extent of RAM of 4 KiB. Errors: argument_invalid, object_state.
    Result<> configure(Ref<MemExtent> page, const Configuration&) RT_EXCLUDES(config_lock);

    /// Errors: those of VirqSource::bind.
    Result<> bind(bool backend, Vic& vic, VirqInfo info) { return source(backend).bind(vic, info); }
    void unbind(bool backend) { source(backend).unbind(); }

    // For the backend.
    /// Interrupts the frontend for GH_VIRTIO_INTERRUPT_*. Errors: argument_invalid, denied (a reset
    /// is not acknowledged yet).
    Result<> assert_frontend(std::uint64_t interrupt_status) RT_EXCLUDES(lock_);
    /// 32 feature bits. Errors: argument_invalid, denied (bits that must be set or clear).
    Result<> set_device_features(std::uint64_t select, std::uint64_t features) RT_EXCLUDES(lock_);
    Result<std::uint64_t> driver_features(std::uint64_t select) RT_EXCLUDES(lock_);
    Result<> set_queue_size_limit(std::uint64_t queue, std::uint64_t size) RT_EXCLUDES(lock_);
    struct Queue {
        std::uint32_t size_limit = 0;
        std::uint32_t size = 0;
        bool ready = false;
        std::array<std::uint64_t, 3> areas{}; // descriptors, driver's, device's; guest addresses
    };
    Result<Queue> queue(std::uint64_t index) RT_EXCLUDES(lock_);
    struct Notification {
        std::uint64_t queues;
        std::uint64_t reasons; // GH_VIRTIO_NOTIFY_*
    };
    /// What the frontend did since the last call; takes the backend's interrupt away.
    Notification take_notification() RT_EXCLUDES(lock_);
    void acknowledge_reset() RT_EXCLUDES(lock_);
    Result<> set_status(std::uint64_t status) RT_EXCLUDES(lock_);

    // For the backend of an input device, configured or active; before the driver starts.
    Result<> configure_input(const VirtioInput::Identity&, std::uint64_t event_types,
                             std::uint64_t axes) RT_EXCLUDES(lock_);
    Result<> set_input_data(std::uint64_t select, std::uint64_t subselect,
                            std::span<const std::byte> data) RT_EXCLUDES(lock_);

    /// A store of the frontend at `offset` of the page; others than the specified are ignored.
    void store(std::uint64_t offset, unsigned size, std::uint64_t value) RT_EXCLUDES(lock_);

    /// The active device whose registers are in this page of RAM, or null.
    static Ref<VirtioMmio> find(PhysAddr address);

private:
    ~VirtioMmio() override = default;
    Result<> on_activate() override;
    void on_destroy() override;
    [[nodiscard]] VirqSource& source(bool backend) { return backend ? backend_ : frontend_; }
    [[nodiscard]] bool may_start() const RT_REQUIRES(lock_);
    [[nodiscard]] Queue* selected() RT_REQUIRES(lock_);
    void notify(std::uint64_t reasons, std::uint64_t queues) RT_REQUIRES(lock_);
    void store_register(std::uint64_t offset, std::uint32_t value) RT_REQUIRES(lock_);
    void store_queue_register(std::uint64_t offset, std::uint32_t value) RT_REQUIRES(lock_);
    void store_config(std::uint64_t offset, unsigned size, std::uint64_t value) RT_REQUIRES(lock_);
    void store_status(std::uint32_t value) RT_REQUIRES(lock_);
    [[nodiscard]] bool features_agree() const RT_REQUIRES(lock_);
    void reset_driver_state() RT_REQUIRES(lock_);
    void show(std::uint64_t offset, std::uint32_t value) RT_REQUIRES(lock_);
    void show_state() RT_REQUIRES(lock_);

    // Fixed once active.
    Ref<MemExtent> page_;
    std::uint32_t queue_count_ = 0;
    std::uint32_t config_size_ = 0;
    bool is_input_ = false;

    Spinlock lock_;
    Queue* queues_ RT_GUARDED_BY(lock_) = nullptr; // queue_count_ entries
    std::array<std::uint32_t, 2> device_features_ RT_GUARDED_BY(lock_){};
    std::array<std::uint32_t, 2> driver_features_ RT_GUARDED_BY(lock_){};
    std::uint32_t device_features_select_ RT_GUARDED_BY(lock_) = 0;
    std::uint32_t driver_features_select_ RT_GUARDED_BY(lock_) = 0;
    std::uint32_t queue_select_ RT_GUARDED_BY(lock_) = 0;
    std::uint32_t interrupt_status_ RT_GUARDED_BY(lock_) = 0;
    std::uint32_t status_ RT_GUARDED_BY(lock_) = 0;
    bool resetting_ RT_GUARDED_BY(lock_) = false;
    Notification pending_ RT_GUARDED_BY(lock_){};
    VirtioInput input_ RT_GUARDED_BY(lock_);
    VirqSource backend_;
    VirqSource frontend_;
};

} // namespace hyp
