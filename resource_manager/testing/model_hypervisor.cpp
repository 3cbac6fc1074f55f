// SPDX-License-Identifier: BSD-3-Clause
// The model's hypercalls. Physical memory is a memory file, so that RM's window really shows it.
#include "testing/model_call.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace rm::testing {

namespace {

constexpr unsigned source_doorbell = 10;
constexpr unsigned source_send = 11;
constexpr unsigned source_receive = 12;
constexpr unsigned source_hwirq = 13;
constexpr unsigned source_bark = 14;
constexpr unsigned hwirq_type = 0x1000;
constexpr unsigned partition_type = 0x1001;

} // namespace

Object::~Object() {
    for (auto& [kind, where] : bindings) {
        where.first->bound.erase(where.second);
    }
}

ModelHypervisor::ModelHypervisor() {
    memory_file_ = memfd_create("model-ram", 0);
    check(memory_file_ >= 0, "memfd_create");
    void* window = mmap(nullptr, window_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(window != MAP_FAILED, "mmap");
    window_ = static_cast<std::byte*>(window);
    own_cspace_ = make(GH_PARTITION_CREATE_CSPACE);
    own_cspace_->active = true;
    cspace = give(own_cspace_);
    partition = give(make(partition_type));
    own_addrspace_ = make(GH_PARTITION_CREATE_ADDRSPACE);
    own_addrspace_->active = true;
    addrspace = give(own_addrspace_);
    own_vic_ = make(GH_PARTITION_CREATE_VIC);
    own_vic_->active = true;
    vic = give(own_vic_);
    vcpu = give(make(GH_PARTITION_CREATE_THREAD));
    Ref device = make(GH_PARTITION_CREATE_MEMEXTENT);
    device->active = true;
    device->size = std::uint64_t{1} << 48;
    device_extent = give(device);
}

ModelHypervisor::~ModelHypervisor() {
    own_addrspace_->pages.clear();
    own_cspace_->slots.clear(); // breaks the cycle with its own capability
    for (auto& [address, view] : page_view_) {
        munmap(view, page);
    }
    munmap(window_, window_size);
    close(memory_file_);
}

ModelHypervisor::Ref ModelHypervisor::make(unsigned type) {
    auto object = std::make_shared<Object>(type);
    if (everything_.size() == everything_.capacity()) { // before it grows
        std::erase_if(everything_, [](const auto& each) { return each.expired(); });
    }
    everything_.push_back(object);
    return object;
}

CapId ModelHypervisor::give(Ref object) {
    next_cap_ += 0x10;
    own_cspace_->slots[next_cap_] = {std::move(object), all_rights};
    return {next_cap_};
}

CapId ModelHypervisor::add_ram(std::uint64_t base, std::uint64_t size) {
    Ref extent = make(GH_PARTITION_CREATE_MEMEXTENT);
    extent->active = true;
    extent->base = base;
    extent->size = size;
    extent->sparse = true;
    return give(extent);
}

CapId ModelHypervisor::add_hwirq() {
    return give(make(hwirq_type));
}

std::byte* ModelHypervisor::physical(std::uint64_t address) {
    const std::uint64_t base = address & ~(page - 1);
    auto found = page_view_.find(base);
    if (found == page_view_.end()) {
        const std::uint64_t offset = file_offset_.size() * page;
        check(ftruncate(memory_file_, static_cast<off_t>(offset + page)) == 0, "ftruncate");
        void* view = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file_,
                          static_cast<off_t>(offset));
        check(view != MAP_FAILED, "mmap");
        file_offset_[base] = offset;
        found = page_view_.emplace(base, static_cast<std::byte*>(view)).first;
    }
    return found->second + (address - base);
}

void ModelHypervisor::write(std::uint64_t address, const void* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
        *physical(address + i) = static_cast<const std::byte*>(data)[i];
    }
}

std::shared_ptr<Object> ModelHypervisor::object(CapId cap, CapId in) const {
    const Object* space = own_cspace_.get();
    if (in.valid()) {
        space = own_cspace_->slots.at(in.value).object.get();
    }
    return space->slots.at(cap.value).object;
}

std::size_t ModelHypervisor::objects() const {
    std::size_t count = 0;
    for (const auto& each : everything_) {
        count += each.expired() ? 0 : 1;
    }
    return count;
}

std::size_t ModelHypervisor::capabilities() const {
    std::size_t count = 0;
    for (const auto& each : everything_) {
        const Ref alive = each.lock();
        count += alive ? alive->slots.size() : 0;
    }
    return count;
}

std::size_t ModelHypervisor::mapped_pages() const {
    std::size_t count = 0;
    for (const auto& each : everything_) {
        const Ref alive = each.lock();
        count += alive ? alive->pages.size() : 0;
    }
    return count;
}

std::vector<std::shared_ptr<Object>> ModelHypervisor::all(ObjectType type) const {
    std::vector<Ref> found;
    for (const auto& each : everything_) {
        Ref alive = each.lock();
        if (alive && alive->type == static_cast<unsigned>(type)) {
            found.push_back(std::move(alive));
        }
    }
    return found;
}

void ModelHypervisor::fail_call(std::size_t n, rt::Error error) {
    fail_at_ = n;
    fail_with_ = error;
}

Hypervisor::Outcome ModelHypervisor::hypercall(unsigned number, const Arguments& x) {
    ++calls;
    ++calls_by_number[number];
    // Giving back must not fail in a correct hypervisor; the console is not of interest.
    const bool may_fail = number != GH_CSPACE_DELETE_CAP_FROM && number != GH_EXT_CONSOLE_WRITE &&
                          number != GH_ADDRSPACE_UNMAP && number != GH_VCPU_KILL &&
                          number != GH_VCPU_UNBIND_VIRQ && number != GH_MSGQUEUE_SEND &&
                          number != GH_MSGQUEUE_RECEIVE;
    if (fail_at_ && may_fail && (*fail_at_)-- == 0) {
        fail_at_.reset();
        return {.error = static_cast<std::int64_t>(fail_with_), .x = {}};
    }
    const auto result = dispatch(number, x);
    if (!result) {
        return {.error = static_cast<std::int64_t>(result.error()), .x = {}};
    }
    return *result;
}

rt::Result<ModelHypervisor::Ref> ModelHypervisor::lookup(std::uint64_t cap, unsigned type,
                                                         std::uint64_t rights) {
    const auto found = own_cspace_->slots.find(cap);
    if (found == own_cspace_->slots.end()) {
        return rt::fail(rt::Error::cap_null);
    }
    if (type != 0 && found->second.object->type != type) {
        return rt::fail(rt::Error::wrong_object_type);
    }
    if ((found->second.rights & rights) != rights) {
        return rt::fail(rt::Error::insufficient_rights);
    }
    return found->second.object;
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::dispatch(unsigned number, const Arguments& x) {
    switch (number) {
    case GH_PARTITION_CREATE_CSPACE:
    case GH_PARTITION_CREATE_ADDRSPACE:
    case GH_PARTITION_CREATE_MEMEXTENT:
    case GH_PARTITION_CREATE_THREAD:
    case GH_PARTITION_CREATE_DOORBELL:
    case GH_PARTITION_CREATE_MSGQUEUE:
    case GH_PARTITION_CREATE_VIC:
    case GH_PARTITION_CREATE_VPM_GROUP:
    case GH_PARTITION_CREATE_WATCHDOG:
        return create_object(number, x);
    case GH_CSPACE_COPY_CAP_FROM:
        return copy(x);
    case GH_CSPACE_DELETE_CAP_FROM:
        return remove(x);
    case GH_CSPACE_ATTACH_THREAD:
    case GH_ADDRSPACE_ATTACH_THREAD:
    case GH_VIC_ATTACH_VCPU:
    case GH_VPM_GROUP_ATTACH_VCPU:
    case GH_WATCHDOG_ATTACH_VCPU:
        return attach(number, x);
    case GH_ADDRSPACE_MAP:
        return map(x);
    case GH_ADDRSPACE_UNMAP:
        return unmap(x);
    case GH_MEMEXTENT_CONFIGURE_DERIVE:
    case GH_MEMEXTENT_MODIFY:
    case GH_MEMEXTENT_DONATE:
        return extent_call(number, x);
    case GH_VCPU_POWERON:
    case GH_VCPU_KILL:
    case GH_VCPU_RUN_CHECK:
    case GH_VCPU_SET_AFFINITY:
    case GH_VCPU_SET_PRIORITY:
    case GH_VCPU_SET_TIMESLICE:
    case GH_VCPU_CONFIGURE:
    case GH_VCPU_REGISTER_WRITE:
        return vcpu_call(number, x);
    case GH_VCPU_BIND_VIRQ:
    case GH_VCPU_UNBIND_VIRQ:
    case GH_DOORBELL_BIND_VIRQ:
    case GH_WATCHDOG_BIND_VIRQ:
    case GH_MSGQUEUE_BIND_SEND_VIRQ:
    case GH_MSGQUEUE_BIND_RECEIVE_VIRQ:
    case GH_HWIRQ_BIND_VIRQ:
        return bind(number, x);
    case GH_MSGQUEUE_SEND:
    case GH_MSGQUEUE_RECEIVE:
        return queue_call(number, x);
    case GH_PRNG_GET_ENTROPY:
        if (!entropy_available) {
            return rt::fail(rt::Error::unimplemented);
        }
        return Outcome{.error = 0, .x = {0x1122334455667788, 2, 3, 4}};
    case GH_EXT_QUERY_COUNTER:
        switch (x[1]) {
        case GH_COUNTER_OBJECTS:
            return Outcome{.error = 0, .x = {objects()}};
        case GH_COUNTER_CAPABILITIES:
            return Outcome{.error = 0, .x = {capabilities()}};
        default:
            return rt::fail(rt::Error::argument_invalid);
        }
    case GH_EXT_CONSOLE_WRITE:
        console.append(reinterpret_cast<const char*>(&x[2]), x[1]);
        return Outcome{};
    default:
        return configure(number, x);
    }
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::create_object(unsigned type, const Arguments& x) {
    TRY(from, lookup(x[0], partition_type, GH_RIGHT_PARTITION_CREATE));
    TRY(into, lookup(x[1], GH_PARTITION_CREATE_CSPACE, GH_RIGHT_CSPACE_CAP_CREATE));
    if (x[2] != 0 || into != own_cspace_ || !from) {
        return rt::fail(rt::Error::argument_invalid);
    }
    return Outcome{.error = 0, .x = {give(make(type)).value}};
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::copy(const Arguments& x) {
    TRY(from, lookup(x[0], GH_PARTITION_CREATE_CSPACE, GH_RIGHT_CSPACE_CAP_COPY));
    TRY(to, lookup(x[2], GH_PARTITION_CREATE_CSPACE, GH_RIGHT_CSPACE_CAP_CREATE));
    const auto slot = from->slots.find(x[1]);
    if (slot == from->slots.end()) {
        return rt::fail(rt::Error::cap_null);
    }
    if (!to->active || x[4] != 0) {
        return rt::fail(rt::Error::object_state);
    }
    next_cap_ += 0x10;
    to->slots[next_cap_] = {slot->second.object, slot->second.rights & x[3]};
    return Outcome{.error = 0, .x = {next_cap_}};
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::remove(const Arguments& x) {
    TRY(from, lookup(x[0], GH_PARTITION_CREATE_CSPACE, GH_RIGHT_CSPACE_CAP_DELETE));
    const auto slot = from->slots.find(x[1]);
    if (slot == from->slots.end()) {
        return rt::fail(rt::Error::cap_null);
    }
    const Ref object = slot->second.object;
    from->slots.erase(slot);
    if (object.use_count() == 1) { // ours: it dies
        while (!object->pages.empty()) {
            unmap_page(*object, object->pages.begin()->first);
        }
        for (auto entry = owner_.begin(); entry != owner_.end();) {
            entry = entry->second == object.get() ? owner_.erase(entry) : std::next(entry);
        }
    }
    return Outcome{};
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::attach(unsigned number, const Arguments& x) {
    const unsigned type = number == GH_CSPACE_ATTACH_THREAD      ? GH_PARTITION_CREATE_CSPACE
                          : number == GH_ADDRSPACE_ATTACH_THREAD ? GH_PARTITION_CREATE_ADDRSPACE
                          : number == GH_VIC_ATTACH_VCPU         ? GH_PARTITION_CREATE_VIC
                          : number == GH_WATCHDOG_ATTACH_VCPU    ? GH_PARTITION_CREATE_WATCHDOG
                                                                 : GH_PARTITION_CREATE_VPM_GROUP;
    TRY(to, lookup(x[0], type, 0));
    TRY(thread, lookup(x[1], GH_PARTITION_CREATE_THREAD, 0));
    if (!to->active || thread->active) {
        return rt::fail(rt::Error::object_state);
    }
    if (number == GH_VIC_ATTACH_VCPU && x[2] >= to->max_vcpus) {
        return rt::fail(rt::Error::argument_invalid);
    }
    Ref& field = number == GH_CSPACE_ATTACH_THREAD      ? thread->thread_cspace
                 : number == GH_ADDRSPACE_ATTACH_THREAD ? thread->thread_addrspace
                 : number == GH_VIC_ATTACH_VCPU         ? thread->thread_vic
                 : number == GH_WATCHDOG_ATTACH_VCPU    ? thread->thread_watchdog
                                                        : thread->thread_group;
    field = to;
    if (number != GH_WATCHDOG_ATTACH_VCPU) {
        thread->index = static_cast<unsigned>(x[2]);
    }
    return Outcome{};
}

bool ModelHypervisor::is_own(const Object& space) const {
    return &space == own_addrspace_.get();
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::configure(unsigned number, const Arguments& x) {
    TRY(object, lookup(x[0], 0, 0));
    switch (number) {
    case GH_OBJECT_ACTIVATE:
        if (object->active) {
            return rt::fail(rt::Error::object_state);
        }
        if (object->type == GH_PARTITION_CREATE_THREAD &&
            (!object->thread_cspace || !object->thread_addrspace || !object->thread_vic)) {
            return rt::fail(rt::Error::object_config);
        }
        object->active = true;
        return Outcome{};
    case GH_CSPACE_CONFIGURE:
    case GH_ADDRSPACE_CONFIGURE:
    case GH_VIC_CONFIGURE:
    case GH_MSGQUEUE_CONFIGURE:
        if (object->active) {
            return rt::fail(rt::Error::object_state);
        }
        object->vmid = x[1];
        object->max_vcpus = static_cast<unsigned>(x[1]);
        object->depth = x[1] & 0xffff;
        object->message_size = x[1] >> 16;
        return Outcome{};
    case GH_ADDRSPACE_ATTACH_VDEVICE:
        if (!object->active || object->vdevices.contains(x[3])) {
            return rt::fail(rt::Error::busy);
        }
        object->vdevices[x[3]] = {static_cast<unsigned>(x[2]), x[4]};
        return Outcome{};
    case GH_ADDRSPACE_CONFIGURE_VMMIO:
        object->vmmio.emplace_back(x[1], x[2]);
        return Outcome{};
    default:
        return rt::fail(rt::Error::unimplemented);
    }
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::vcpu_call(unsigned number, const Arguments& x) {
    TRY(thread, lookup(x[0], GH_PARTITION_CREATE_THREAD, 0));
    const bool setting = number == GH_VCPU_SET_AFFINITY || number == GH_VCPU_SET_PRIORITY ||
                         number == GH_VCPU_SET_TIMESLICE || number == GH_VCPU_CONFIGURE ||
                         number == GH_VCPU_REGISTER_WRITE;
    if (setting == thread->active || thread->killed) {
        return rt::fail(rt::Error::object_state);
    }
    switch (number) {
    case GH_VCPU_CONFIGURE:
        thread->options = x[1];
        return Outcome{};
    case GH_VCPU_REGISTER_WRITE:
        if (x[1] != GH_VCPU_REGISTER_SET_EXT_PV_TIME || x[2] != 0) {
            return rt::fail(rt::Error::argument_invalid);
        }
        thread->stolen_time = x[3];
        return Outcome{};
    case GH_VCPU_SET_AFFINITY:
        if (x[2] != ~std::uint64_t{0}) {
            return rt::fail(rt::Error::argument_invalid);
        }
        thread->affinity = static_cast<unsigned>(x[1]);
        return Outcome{};
    case GH_VCPU_SET_PRIORITY:
        thread->priority = static_cast<unsigned>(x[1]);
        return Outcome{};
    case GH_VCPU_SET_TIMESLICE:
        thread->timeslice = x[1];
        return Outcome{};
    case GH_VCPU_POWERON:
        thread->powered = true;
        thread->entry = x[1];
        thread->context = x[2];
        return Outcome{};
    case GH_VCPU_KILL:
        thread->killed = true;
        return Outcome{};
    default:
        if (!thread->halted) {
            return rt::fail(rt::Error::busy);
        }
        return Outcome{.error = 0,
                       .x = {thread->halt.state, thread->halt.data[0], thread->halt.data[1],
                             thread->halt.data[2]}};
    }
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::bind(unsigned number, const Arguments& x) {
    TRY(source, lookup(x[0], 0, 0));
    if (number == GH_VCPU_UNBIND_VIRQ) {
        const auto bound = source->bindings.find(static_cast<unsigned>(x[1]));
        if (bound != source->bindings.end()) {
            bound->second.first->bound.erase(bound->second.second);
            source->bindings.erase(bound);
        }
        return Outcome{};
    }
    TRY(target, lookup(x[1], GH_PARTITION_CREATE_VIC, GH_RIGHT_VIC_BIND_SOURCE));
    const unsigned kind = number == GH_VCPU_BIND_VIRQ               ? static_cast<unsigned>(x[3])
                          : number == GH_DOORBELL_BIND_VIRQ         ? source_doorbell
                          : number == GH_WATCHDOG_BIND_VIRQ         ? source_bark
                          : number == GH_MSGQUEUE_BIND_SEND_VIRQ    ? source_send
                          : number == GH_MSGQUEUE_BIND_RECEIVE_VIRQ ? source_receive
                                                                    : source_hwirq;
    const auto virq = static_cast<std::uint32_t>(x[2]);
    if (virq < 32 || virq > 1019 || !target->active) {
        return rt::fail(rt::Error::argument_invalid);
    }
    if (source->bindings.contains(kind)) {
        return rt::fail(rt::Error::virq_bound);
    }
    if (target->bound.contains(virq)) {
        return rt::fail(rt::Error::busy);
    }
    source->bindings[kind] = {target, virq};
    target->bound[virq] = source.get();
    return Outcome{};
}

void ModelHypervisor::assert_virq(Object& source, unsigned kind) {
    const auto bound = source.bindings.find(kind);
    if (bound != source.bindings.end() && bound->second.first == own_vic_) {
        raised.insert(bound->second.second);
    }
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::queue_call(unsigned number, const Arguments& x) {
    TRY(queue, lookup(x[0], GH_PARTITION_CREATE_MSGQUEUE, 0));
    if (number == GH_MSGQUEUE_SEND) {
        if (x[1] == 0 || x[1] > queue->message_size) {
            return rt::fail(rt::Error::argument_size);
        }
        if (queue->messages.size() == queue->depth) {
            return rt::fail(rt::Error::msgqueue_full);
        }
        const auto* data = reinterpret_cast<const std::byte*>(x[2]);
        queue->messages.emplace_back(data, data + x[1]);
        return Outcome{.error = 0, .x = {queue->messages.size() < queue->depth}};
    }
    if (queue->messages.empty()) {
        return rt::fail(rt::Error::msgqueue_empty);
    }
    const auto& message = queue->messages.front();
    if (message.size() > x[2]) {
        return rt::fail(rt::Error::address_overflow);
    }
    std::memcpy(reinterpret_cast<void*>(x[1]), message.data(), message.size());
    const std::size_t size = message.size();
    queue->messages.pop_front();
    return Outcome{.error = 0, .x = {size, queue->messages.empty() ? 0U : 1U}};
}

bool ModelHypervisor::peer_send(CapId cap, std::vector<std::byte> message) {
    const Ref queue = object(cap);
    if (queue->messages.size() == queue->depth) {
        return false;
    }
    queue->messages.push_back(std::move(message));
    assert_virq(*queue, source_receive);
    return true;
}

std::optional<std::vector<std::byte>> ModelHypervisor::peer_receive(CapId cap) {
    const Ref queue = object(cap);
    if (queue->messages.empty()) {
        return std::nullopt;
    }
    const bool was_full = queue->messages.size() == queue->depth;
    auto message = std::move(queue->messages.front());
    queue->messages.pop_front();
    if (was_full) {
        assert_virq(*queue, source_send);
    }
    return message;
}

} // namespace rm::testing
