// SPDX-License-Identifier: BSD-3-Clause
// calls_of(): the lists. None starts a process or makes memory executable; only shared directories
// need files by name, and only the connector makes sockets.
#include "sandbox/thread_calls.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <span>
#include <utility>

namespace vmm {
namespace {

// Memory, locks, time, timers, eventfds, messages to stderr, and an orderly end.
constexpr auto everybody = std::to_array<AllowedCall>({
    {__NR_read},
    {__NR_write},
    {__NR_writev},
    {__NR_futex},
    {__NR_sched_yield},
    {__NR_sched_getaffinity}, // malloc(), for the number of its arenas
    {__NR_clock_gettime},
    {__NR_clock_nanosleep},
    {__NR_nanosleep},
    {__NR_restart_syscall},
    {__NR_getrandom},
    {__NR_mmap, 2, PROT_EXEC},
    {__NR_mprotect, 2, PROT_EXEC},
    {__NR_munmap},
    {__NR_mremap},
    {__NR_madvise},
    {__NR_brk},
    {__NR_fstat},
    {__NR_newfstatat}, // what fstat() is on arm64
    {__NR_ioctl},      // GH_VCPU_RUN, a VM's functions, a terminal's settings and size
    {__NR_rt_sigprocmask},
    {__NR_rt_sigaction},
    {__NR_rt_sigreturn},
    {__NR_sigaltstack},     // the sanitizers of test builds
    {__NR_timerfd_settime}, // the guest's alarm and watchdog
    {__NR_getpid},
    {__NR_gettid},
    {__NR_tgkill},
    {__NR_exit},
    {__NR_exit_group},
});

constexpr auto waiting = std::to_array<AllowedCall>({
#ifdef __NR_poll
    {__NR_poll},
#endif
    {__NR_ppoll},
    {__NR_close},
});

// The control socket's and the consoles' clients.
constexpr auto serving = std::to_array<AllowedCall>({
    {__NR_accept4},
    {__NR_recvfrom},
    {__NR_sendto},
    {__NR_shutdown},
    {__NR_fcntl},
});

constexpr auto disk_calls = std::to_array<AllowedCall>({
    {__NR_preadv},
    {__NR_pwritev},
    {__NR_fdatasync},
    {__NR_fallocate},
    {__NR_io_uring_enter}, // each ring serves one disk's file, see AsyncFile
});

constexpr auto network_calls = std::to_array<AllowedCall>({
    {__NR_epoll_ctl}, // when it waits for the host
    {__NR_sendmsg},
});

// Its end. Only of processes that the VMM has descriptors of.
constexpr auto passt_calls = std::to_array<AllowedCall>({
    {__NR_pidfd_send_signal},
    {__NR_waitid},
});

constexpr auto vsock_calls = std::to_array<AllowedCall>({
    {__NR_epoll_ctl},
    {__NR_epoll_pwait},
    {__NR_sendmsg},
    {__NR_recvmsg}, // sockets of the connector
});

// A guest that resets a device does so on a vCPU's thread: the device forgets what it had open and
// what it waited for.
constexpr auto reset_of_disk = std::to_array<AllowedCall>({{__NR_io_uring_enter}});
constexpr auto reset_of_network = std::to_array<AllowedCall>({{__NR_epoll_ctl}});
constexpr auto reset_of_vsock = std::to_array<AllowedCall>({{__NR_epoll_ctl}, {__NR_close}});
constexpr auto reset_of_share = std::to_array<AllowedCall>({{__NR_close}});

constexpr auto connecting = std::to_array<AllowedCall>({
    {__NR_socket},
    {__NR_connect},
    {__NR_recvfrom},
    {__NR_sendmsg},
});

constexpr auto share_calls = std::to_array<AllowedCall>({
    {__NR_pread64},    {__NR_pwrite64}, {__NR_lseek},     {__NR_ftruncate},  {__NR_fsync},
    {__NR_fdatasync},  {__NR_openat},   {__NR_openat2},   {__NR_mkdirat},    {__NR_mknodat},
    {__NR_unlinkat},   {__NR_renameat}, {__NR_renameat2}, {__NR_linkat},     {__NR_symlinkat},
    {__NR_readlinkat}, {__NR_fchownat}, {__NR_fchmodat},  {__NR_fchmod},     {__NR_fchown},
    {__NR_utimensat},  {__NR_statfs},   {__NR_fstatfs},   {__NR_getdents64}, {__NR_statx},
    {__NR_geteuid},
});

class List {
public:
    List& add(std::span<const AllowedCall> calls, bool wanted = true) {
        if (wanted) {
            calls_.insert(calls_.end(), calls.begin(), calls.end());
        }
        return *this;
    }
    std::vector<AllowedCall> take() { return std::move(calls_); }

private:
    std::vector<AllowedCall> calls_;
};

} // namespace

std::vector<AllowedCall> calls_of(ThreadKind kind, const DeviceKinds& devices) {
    List list;
    list.add(everybody);
    switch (kind) {
    case ThreadKind::vcpu:
        return list.add(reset_of_disk, devices.disks)
            .add(reset_of_network, devices.networks)
            .add(reset_of_vsock, devices.vsock)
            .add(reset_of_share, devices.shares)
            .take();
    case ThreadKind::console:
        return list.add(waiting).take();
    case ThreadKind::main_loop:
        return list.add(waiting)
            .add(serving)
            .add(disk_calls, devices.disks)
            .add(share_calls, devices.shares)
            .add(network_calls, devices.networks)
            .add(passt_calls, devices.passt)
            .add(vsock_calls, devices.vsock)
            .take();
    case ThreadKind::connector:
        return list.add(waiting).add(connecting).take();
    }
    return {};
}

} // namespace vmm
