// SPDX-License-Identifier: BSD-3-Clause
// The VIC as an object: configuration, memory, attachment of vCPUs and of sources.
#include "interrupt/vic.hpp"

#include "heap/heap.hpp"
#include "interrupt/register_frames.hpp"
#include "interrupt/vic_cpu.hpp"
#include "interrupt/wakeups.hpp"

#include <new>

namespace hyp {

namespace {

/// `count` default-constructed Ts in one block of the heap, or nullptr.
template <typename T>
T* make_array(std::size_t count) {
    void* memory = heap().allocate(count * sizeof(T), alignof(T));
    if (memory == nullptr) {
        return nullptr;
    }
    T* items = static_cast<T*>(memory);
    for (std::size_t n = 0; n < count; n++) {
        new (&items[n]) T();
    }
    return items;
}

} // namespace

Result<> Vic::configure(std::uint64_t max_vcpus, std::uint64_t max_shared_virqs) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active(), Error::object_state);
    RT_FAIL_IF(max_vcpus == 0 || max_vcpus > vcpus_limit || max_shared_virqs > shared_virqs_limit,
               Error::argument_invalid);
    max_vcpus_ = static_cast<unsigned>(max_vcpus);
    const auto rounded = static_cast<unsigned>((max_shared_virqs + 31) / 32 * 32);
    shared_count_ = rounded < shared_virqs_limit ? rounded : unsigned{shared_virqs_limit};
    return {};
}

Result<> Vic::on_activate() {
    RT_FAIL_IF(max_vcpus_ == 0, Error::object_config);
    const std::uint64_t bytes =
        max_vcpus_ * sizeof(Redistributor) + sizeof(Distributor) + shared_count_ * sizeof(Virq);
    RT_FAIL_IF(!charge(bytes), Error::no_memory);
    redistributors_ = make_array<Redistributor>(max_vcpus_);
    distributor_ = heap().create<Distributor>(*this);
    if (shared_count_ != 0) {
        shared_ = make_array<Virq>(shared_count_);
    }
    if (redistributors_ == nullptr || distributor_ == nullptr ||
        (shared_ == nullptr && shared_count_ != 0)) {
        on_destroy();
        refund(bytes);
        return fail(Error::no_memory);
    }
    for (unsigned n = 0; n < max_vcpus_; n++) {
        redistributors_[n].init(*this, n);
    }
    for (unsigned n = 0; n < shared_count_; n++) {
        shared_[n].intid = first_spi + n;
    }
    return {};
}

/// vCPUs and sources hold references: none is left.
void Vic::on_destroy() {
    heap().release(redistributors_);
    heap().destroy(distributor_);
    heap().release(shared_);
    redistributors_ = nullptr;
    distributor_ = nullptr;
    shared_ = nullptr;
}

Vdevice* Vic::vdevice(std::uint64_t interface) {
    if (!is_active() || interface > max_vcpus_) {
        return nullptr;
    }
    return interface == 0 ? static_cast<Vdevice*>(distributor_) : &redistributors_[interface - 1];
}

Result<> Vic::attach_vcpu(std::uint64_t index, VicCpu& cpu) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    RT_FAIL_IF(index >= max_vcpus_, Error::argument_invalid);
    Wakeups wakeups;
    const LockGuard guard(lock_);
    RT_FAIL_IF(cpus_[index] != nullptr || cpu.vic_, Error::busy);
    cpu.vic_ = Ref<Vic>(*this);
    cpu.index_ = static_cast<unsigned>(index);
    cpu.affinity_ = default_affinity(cpu.index_);
    for (Virq& irq : cpu.private_) {
        irq.vcpu = static_cast<std::uint8_t>(index);
    }
    cpus_[index] = &cpu;
    update_all(wakeups); // interrupts may have waited for this vCPU
    return {};
}

void Vic::detach_vcpu(VicCpu& cpu) {
    {
        Wakeups wakeups;
        const LockGuard guard(lock_);
        cpus_[cpu.index_] = nullptr;
        cpu.reset_private();
        for (unsigned n = 0; n < shared_count_; n++) {
            Virq& irq = shared_[n];
            if (irq.holder == &cpu) {
                clear_active(irq);
                update(irq, wakeups);
            }
        }
    }
    while (cpu.being_notified_.load(std::memory_order_acquire) != 0) {
        // Another CPU is inside virq_pending() of this vCPU; it does not wait for us.
    }
}

} // namespace hyp
