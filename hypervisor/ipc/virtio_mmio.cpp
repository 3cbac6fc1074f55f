// SPDX-License-Identifier: BSD-3-Clause
// Life of a virtio-mmio device and what its backend asks for.
#include "ipc/virtio_mmio.hpp"

#include "heap/heap.hpp"
#include "interrupt/vic.hpp"
#include "ipc/virtio_registers.hpp"

#include <abi/hypercall.h>
#include <arch/physmap.hpp>

#include <memory>

namespace hyp {

namespace {

struct Registry {
    Spinlock lock;
    rt::IntrusiveList<VirtioMmio, VirtioMmioTag> devices RT_GUARDED_BY(lock);
};

constinit Registry registry;

} // namespace

Result<> VirtioMmio::configure(Ref<MemExtent> page, const Configuration& wanted) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active() || !page->is_active(), Error::object_state);
    const bool page_fits = page->is_ram() && !page->is_sparse() && page->range().size == page_size;
    const bool known_type =
        wanted.device_type.value_or(GH_VIRTIO_DEVICE_INPUT) == GH_VIRTIO_DEVICE_INPUT;
    RT_FAIL_IF(!page_fits || !known_type || wanted.queues == 0 || wanted.queues > max_queues ||
                   wanted.config_size > page_size - config_offset,
               Error::argument_invalid);
    page_ = std::move(page);
    queue_count_ = static_cast<std::uint32_t>(wanted.queues);
    config_size_ = static_cast<std::uint32_t>(wanted.config_size);
    is_input_ = wanted.device_type.has_value();
    return {};
}

Result<> VirtioMmio::on_activate() {
    RT_FAIL_IF(!page_, Error::object_config);
    {
        const LockGuard guard(lock_);
        queues_ = static_cast<Queue*>(allocate_charged(queue_count_ * sizeof(Queue)));
        RT_FAIL_IF(queues_ == nullptr, Error::no_memory);
        std::uninitialized_value_construct_n(queues_, queue_count_);
        device_features_[1] = virtio::features_1_enforced;
        show(virtio::magic, virtio::magic_value);
        show(virtio::version, 2);
        if (is_input_) {
            show(virtio::device_id, GH_VIRTIO_DEVICE_INPUT);
        }
        show_state();
    }
    const LockGuard guard(registry.lock);
    registry.devices.push_back(*this);
    return {};
}

void VirtioMmio::on_destroy() {
    {
        const LockGuard guard(registry.lock);
        rt::IntrusiveList<VirtioMmio, VirtioMmioTag>::remove(*this);
    }
    backend_.unbind();
    frontend_.unbind();
    const LockGuard guard(lock_);
    heap().release(queues_);
    input_.clear();
}

Ref<VirtioMmio> VirtioMmio::find(PhysAddr address) {
    const LockGuard guard(registry.lock);
    for (VirtioMmio& device : registry.devices) {
        if (device.page_->range().contains(address)) {
            return Ref<VirtioMmio>::try_share(device);
        }
    }
    return {};
}

void VirtioMmio::notify(std::uint64_t reasons, std::uint64_t queues) {
    pending_.reasons |= reasons;
    pending_.queues |= queues;
    backend_.set_level(true);
}

Result<> VirtioMmio::assert_frontend(std::uint64_t interrupt_status) {
    RT_FAIL_IF((interrupt_status & ~std::uint64_t{virtio::interrupt_mask}) != 0,
               Error::argument_invalid);
    const LockGuard guard(lock_);
    RT_FAIL_IF(resetting_, Error::denied);
    interrupt_status_ |= static_cast<std::uint32_t>(interrupt_status);
    show(virtio::interrupt_status, interrupt_status_);
    frontend_.set_level(interrupt_status_ != 0);
    return {};
}

Result<> VirtioMmio::set_device_features(std::uint64_t select, std::uint64_t features) {
    RT_FAIL_IF(select > 1 || (features >> 32) != 0, Error::argument_invalid);
    constexpr std::uint64_t fixed = virtio::features_1_enforced | virtio::features_1_forbidden;
    RT_FAIL_IF(select == 1 && (features & fixed) != virtio::features_1_enforced, Error::denied);
    const LockGuard guard(lock_);
    device_features_[select] = static_cast<std::uint32_t>(features);
    show_state();
    return {};
}

Result<std::uint64_t> VirtioMmio::driver_features(std::uint64_t select) {
    RT_FAIL_IF(select > 1, Error::argument_invalid);
    const LockGuard guard(lock_);
    return driver_features_[select];
}

Result<> VirtioMmio::set_queue_size_limit(std::uint64_t queue, std::uint64_t size) {
    RT_FAIL_IF(queue >= queue_count_ || size > max_queue_size, Error::argument_invalid);
    const LockGuard guard(lock_);
    queues_[queue].size_limit = static_cast<std::uint32_t>(size);
    show_state();
    return {};
}

Result<VirtioMmio::Queue> VirtioMmio::queue(std::uint64_t index) {
    RT_FAIL_IF(index >= queue_count_, Error::argument_invalid);
    const LockGuard guard(lock_);
    return queues_[index];
}

VirtioMmio::Notification VirtioMmio::take_notification() {
    const LockGuard guard(lock_);
    backend_.set_level(false);
    return std::exchange(pending_, {});
}

void VirtioMmio::acknowledge_reset() {
    const LockGuard guard(lock_);
    if (resetting_) {
        resetting_ = false;
        reset_driver_state();
    }
}

Result<> VirtioMmio::set_status(std::uint64_t status) {
    RT_FAIL_IF(status > 0xff, Error::argument_invalid);
    const LockGuard guard(lock_);
    status_ = static_cast<std::uint32_t>(status);
    show(virtio::status, status_);
    return {};
}

Result<> VirtioMmio::configure_input(const VirtioInput::Identity& identity,
                                     std::uint64_t event_types, std::uint64_t axes) {
    RT_FAIL_IF(!page_ || !is_input_, Error::argument_invalid);
    const LockGuard guard(lock_);
    return input_.configure(identity, event_types, axes);
}

Result<> VirtioMmio::set_input_data(std::uint64_t select, std::uint64_t subselect,
                                    std::span<const std::byte> data) {
    RT_FAIL_IF(!page_ || !is_input_, Error::argument_invalid);
    const LockGuard guard(lock_);
    return input_.set_data(select, subselect, data);
}

} // namespace hyp
