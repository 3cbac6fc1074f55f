// SPDX-License-Identifier: BSD-3-Clause
// run_guest(): checks, builds, starts, waits, takes down, in this order.
#include "app/run.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "app/consoles.hpp"
#include "app/control_protocol.hpp"
#include "app/control_server.hpp"
#include "app/event_loop.hpp"
#include "app/guest_devices.hpp"
#include "app/network_cards.hpp"
#include "app/open_files.hpp"
#include "app/run_schema.hpp"
#include "app/runtime_folder.hpp"
#include "app/signal_descriptor.hpp"
#include "app/vcpu_threads.hpp"
#include "disk/open_disk.hpp"
#include "libgunyah/device.hpp"
#include "libgunyah/error.hpp"
#include "machine/boot_files.hpp"
#include "machine/device_tree.hpp"
#include "machine/device_tree_overlay.hpp"
#include "machine/host_memory.hpp"
#include "machine/layout.hpp"
#include "sandbox/leftover_remover.hpp"
#include "sandbox/privileges.hpp"
#include "sandbox/program_connector.hpp"
#include "sandbox/thread_calls.hpp"
#include "vsock/unix_socket.hpp"

namespace vmm {
namespace {

constexpr std::uint32_t ram_label = 0;

std::vector<Disk> open_disks(const std::vector<DiskOption>& options) {
    std::vector<Disk> disks;
    for (const DiskOption& disk : options) {
        disks.push_back({open_disk(disk.path, disk.read_only, disk.format),
                         disk.id.empty() ? fmt::format("disk{}", disks.size()) : disk.id});
    }
    return disks;
}

std::vector<Share> open_shares(const std::vector<ShareOption>& options) {
    std::vector<Share> shares;
    const std::size_t files = options.empty() ? 0 : allow_open_files() / options.size();
    for (const ShareOption& share : options) {
        const std::string tag =
            share.tag.empty() ? fmt::format("share{}", shares.size()) : share.tag;
        Share& opened = shares.emplace_back();
        opened.tag = tag;
        opened.device = std::make_unique<ShareDevice>(share.path, tag, share.read_only, files);
    }
    return shares;
}

std::string name_of(const RunOptions& options) {
    return options.name.empty() ? fmt::format("vm-{}", ::getpid()) : options.name;
}

// The guest's own connections go through a helper, in the sandbox and without it.
std::unique_ptr<VsockHost> open_vsock(const RunOptions& options, LeftoverRemover& remover) {
    if (options.vsocks.empty()) {
        return nullptr;
    }
    const VsockOption& vsock = options.vsocks.front();
    const std::string path = vsock.path.empty() ? default_vsock_path(name_of(options)) : vsock.path;
    auto listener = listen_unix(path, {.option = "--vsock"});
    remover.add(path);
    const auto connector = std::make_shared<ProgramConnector>(path, options.sandbox);
    return std::make_unique<VsockHost>(
        vsock.cid, std::move(listener),
        [connector](std::uint32_t port) { return connector->connect(port); });
}

DeviceKinds kinds_of_devices(const RunOptions& options) {
    return {.disks = !options.disks.empty(),
            .shares = !options.shares.empty(),
            .networks = !options.nets.empty(),
            .passt = std::ranges::any_of(options.nets, &std::string::empty, &NetOption::tap),
            .vsock = !options.vsocks.empty()};
}

template <typename T>
void fill_random(T& value) {
    if (::getrandom(&value, sizeof(value), 0) != static_cast<ssize_t>(sizeof(value))) {
        throw gunyah::Error::from_errno(errno, "cannot get random numbers for the guest");
    }
}

// For this user alone: the tree has the seeds of the guest's random numbers.
void write_file(const std::string& path, const std::vector<std::byte>& bytes) {
    const gunyah::FileDescriptor file{
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (!file ||
        ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
        throw gunyah::Error::from_errno(
            errno, fmt::format("cannot write the device tree to {}", path), "",
            "name a file in a directory that you may write to (--dump-dtb)");
    }
}

std::vector<std::byte> make_device_tree(const RunOptions& options, const BootFiles& files,
                                        const GuestDevices& devices) {
    GuestDescription guest{.cpus = options.cpus,
                           .ram_base = layout::ram_base,
                           .command_line = options.command_line,
                           .initrd = files.initrd_range(),
                           .devices = devices.descriptions(),
                           .kaslr_seed = 0,
                           .random_seed = {}};
    fill_random(guest.kaslr_seed);
    fill_random(guest.random_seed);
    constexpr std::size_t capacity = MemoryPlan::device_tree_window - MemoryPlan::device_tree_slack;
    std::vector<std::byte> tree = build_device_tree(guest, capacity);
    if (!options.device_tree_overlay.empty()) {
        tree = DeviceTreeOverlay::open(options.device_tree_overlay).apply(tree, capacity);
    }
    if (!options.device_tree_dump.empty()) {
        write_file(options.device_tree_dump, tree);
    }
    return tree;
}

// Puts the tree into guest memory and tells the VM about it and the room behind it.
void place_device_tree(gunyah::Vm& vm, const GuestMemory& memory, std::uint64_t address,
                       const std::vector<std::byte>& tree) {
    constexpr std::uint64_t page_size = 4096;
    const std::uint64_t window =
        (tree.size() + MemoryPlan::device_tree_slack + page_size - 1) / page_size * page_size;
    const auto place = memory.range(address, MemoryPlan::device_tree_window).value();
    std::ranges::copy(tree, place.begin());
    vm.set_device_tree(address, std::min(window, MemoryPlan::device_tree_window));
}

// Linux may give a stack of more than 2 MiB, glibc's are of 8, a huge page, of which a thread here
// uses a few KiB. Shared directories' depth does not count: they are served by the first thread.
void use_small_stacks() {
    constexpr std::size_t stack_size = std::size_t{512} * 1024;
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, stack_size);
    ::pthread_setattr_default_np(&attributes); // only larger if it fails
    ::pthread_attr_destroy(&attributes);
}

// A running VM as its control socket sees it.
class RunningVm : public ControlTarget {
public:
    RunningVm(const RunOptions& options, Consoles& consoles, GuestDevices& devices,
              VcpuThreads& vcpus, std::function<void(Outcome)> end)
        : options_{options}, consoles_{consoles}, devices_{devices}, vcpus_{vcpus},
          end_{std::move(end)} {}

    [[nodiscard]] VmInfo info() const override {
        return {.name = name_of(options_),
                .process = ::getpid(),
                .state = paused_ ? "paused" : "running",
                .config = print_config(options_),
                .consoles = consoles_.info()};
    }
    [[nodiscard]] std::vector<DeviceCounts> device_counts() const override {
        return devices_.counts();
    }
    void press_power_button() override { devices_.press_power_button(); }
    void force_stop() override {
        end_({ExitStatus::stopped, "the guest was stopped (gunyah stop --force)"});
    }
    void pause() override {
        vcpus_.pause();
        devices_.pause();
        paused_ = true;
    }
    void resume() override {
        devices_.resume();
        vcpus_.resume();
        paused_ = false;
    }
    [[nodiscard]] std::optional<unsigned> find_console(std::string_view which) const override {
        return consoles_.find(which);
    }
    void attach_console(unsigned console, gunyah::FileDescriptor socket,
                        std::string_view typed) override {
        consoles_.at(console).attach(std::move(socket), typed);
    }
    void resize_console(unsigned console, ConsoleSize size) override {
        consoles_.at(console).resize(size);
    }

private:
    const RunOptions& options_;
    Consoles& consoles_;
    GuestDevices& devices_;
    VcpuThreads& vcpus_;
    std::function<void(Outcome)> end_;
    bool paused_ = false;
};

// The steps of one run share these; members are destroyed in the order that the guest needs: vCPU
// threads are local to wait_for_end(), then functions, then the VM, then its memory.
class Run {
public:
    explicit Run(const RunOptions& options)
        : options_{options}, control_{control_path(name_of(options)), remover_, loop_},
          files_{BootFiles::open(options.kernel, options.initrd, options.memory)},
          disks_{open_disks(options.disks)}, shares_{open_shares(options.shares)},
          networks_{options.nets, name_of(options)}, vsock_{open_vsock(options, remover_)},
          memory_{map_memory(options.memory)}, guest_memory_{layout::ram_base, memory_.bytes()},
          consoles_{consoles_of(options), remover_, loop_,
                    [this] { end({ExitStatus::stopped, "the guest was stopped (Ctrl-A X)"}); }},
          vm_{gunyah::Device::open().create_vm()} {}

    Outcome operator()() {
        vm_.set_memory_region(ram_label, layout::ram_base, memory_);
        files_.load(guest_memory_);
        GuestDevices devices{DeviceHost{.vm = vm_,
                                        .memory = guest_memory_,
                                        .loop = loop_,
                                        .output = consoles_.first().output(),
                                        .complain = [this](std::string_view text) { note(text); },
                                        .watchdog_bites = watchdog()},
                             consoles_.ports(),
                             std::move(disks_),
                             std::move(shares_),
                             networks_.take_cards(),
                             std::move(vsock_)};
        place_device_tree(vm_, guest_memory_, files_.plan().device_tree,
                          make_device_tree(options_, files_, devices));
        std::vector<gunyah::Vcpu> vcpus;
        for (std::uint32_t id = 0; id < options_.cpus; ++id) {
            vcpus.push_back(vm_.add_vcpu(id));
        }
        vm_.start();
        give_up_privileges();
        return wait_for_end(devices, vcpus);
    }

private:
    static gunyah::MemoryRegion map_memory(std::uint64_t size) {
        require_available_memory(size);
        allow_locked_memory(size);
        return gunyah::MemoryRegion::anonymous(size);
    }

    Outcome wait_for_end(GuestDevices& devices, std::vector<gunyah::Vcpu>& vcpus) {
        loop_.add(signals_.fd(), [this] {
            end({ExitStatus::stopped, fmt::format("the guest was stopped ({})", signals_.take())});
        });
        consoles_.connect(devices, options_.command_line, confine(ThreadKind::console, "console"));
        {
            const auto end_here = [this](Outcome outcome) { end(std::move(outcome)); };
            VcpuThreads threads{vcpus, devices.bus(), end_here, confine(ThreadKind::vcpu, "vCPU")};
            RunningVm running{options_, consoles_, devices, threads, end_here};
            control_.serve(running);
            confine(ThreadKind::main_loop, "main loop")();
            loop_.run();
            consoles_.stop_waiting();
        }
        const Outcome outcome = outcome_.get().value();
        control_.broadcast(ended_event(outcome));
        return outcome;
    }

    // While there is one thread, and everything is open that is ever needed.
    void give_up_privileges() {
        remover_.seal();
        if (!options_.sandbox) {
            return;
        }
        const auto warnings = enter_sandbox({.user = options_.user,
                                             .keeps_files = !options_.shares.empty(),
                                             .mount_point = runtime_folder()});
        for (const std::string& warning : warnings) {
            consoles_.first().note(fmt::format("warning: {}", warning));
        }
    }

    // What a thread does first: gives up the system calls that it does not need.
    [[nodiscard]] std::function<void()> confine(ThreadKind kind, const char* thread) {
        if (!options_.sandbox) {
            return [] {};
        }
        return [this, calls = calls_of(kind, kinds_of_devices(options_)), thread] {
            if (!confine_thread(calls, thread)) {
                note(fmt::format("warning: the sandbox has no list of system calls for the thread "
                                 "'{}' ({})",
                                 thread, std::strerror(errno)));
            }
        };
    }

    void end(Outcome outcome) {
        outcome_.report(std::move(outcome));
        loop_.stop();
    }

    std::function<void()> watchdog() {
        if (!options_.watchdog) {
            return {};
        }
        return [this] {
            end({ExitStatus::crashed, "the guest crashed: its watchdog was not served in time"});
        };
    }

    // A guest that breaks a device over and over must not flood the user's terminal.
    void note(std::string_view text) {
        constexpr unsigned most_notes = 10;
        const std::scoped_lock lock{notes_mutex_};
        if (notes_++ < most_notes) {
            consoles_.first().note(text);
        }
    }

    const RunOptions& options_;
    SignalDescriptor signals_{SIGINT, SIGTERM, SIGHUP};
    LeftoverRemover remover_; // its process is made before there is anything to hand down
    EventLoop loop_;
    ControlServer control_;
    OutcomeSlot outcome_;
    std::mutex notes_mutex_;
    unsigned notes_ = 0;
    BootFiles files_;
    std::vector<Disk> disks_;
    std::vector<Share> shares_;
    NetworkCards networks_;
    std::unique_ptr<VsockHost> vsock_;
    gunyah::MemoryRegion memory_;
    GuestMemory guest_memory_;
    Consoles consoles_;
    gunyah::Vm vm_;
};

} // namespace

Outcome run_guest(const RunOptions& options) {
    use_small_stacks();
    return Run{options}();
}

} // namespace vmm
