// SPDX-License-Identifier: BSD-3-Clause
// calls_of(): the lists. None starts a process or makes memory executable; only shared directories
// need files by name.
#include "sandbox/thread_calls.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>

namespace vmm {
namespace {

// Memory, locks, time, eventfds, messages to stderr, and an orderly end.
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
    {__NR_sigaltstack}, // the sanitizers of test builds
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

constexpr auto serving =
    std::to_array<AllowedCall>(
        {
            {__NR_accept4},     {__NR_recvfrom},  {__NR_recvmsg},
            {__NR_sendto},      {__NR_sendmsg},   {__NR_shutdown},
            {__NR_fcntl},       {__NR_epoll_ctl}, // network and vsock devices wait for the host
            {__NR_epoll_pwait}, {__NR_socket},    // a guest connects to a program's socket
            {__NR_connect},     {__NR_kill},      // a network's passt at the end
            {__NR_waitid},      {__NR_wait4},     {__NR_readv},
            {__NR_pread64},     {__NR_pwrite64},  {__NR_preadv},
            {__NR_pwritev},     {__NR_fsync},     {__NR_fdatasync},
            {__NR_fallocate},   {__NR_ftruncate}, {__NR_lseek},
        });

constexpr auto files = std::to_array<AllowedCall>({
    {__NR_openat},   {__NR_openat2},   {__NR_mkdirat},    {__NR_mknodat},   {__NR_unlinkat},
    {__NR_renameat}, {__NR_renameat2}, {__NR_linkat},     {__NR_symlinkat}, {__NR_readlinkat},
    {__NR_fchownat}, {__NR_fchmodat},  {__NR_fchmod},     {__NR_fchown},    {__NR_utimensat},
    {__NR_statfs},   {__NR_fstatfs},   {__NR_getdents64}, {__NR_statx},     {__NR_geteuid},
});

template <std::size_t... sizes>
constexpr auto joined(const std::array<AllowedCall, sizes>&... lists) {
    std::array<AllowedCall, (sizes + ...)> result{};
    auto place = result.begin();
    ((place = std::ranges::copy(lists, place).out), ...);
    return result;
}

constexpr auto console_calls = joined(everybody, waiting);
constexpr auto main_loop_calls = joined(everybody, waiting, serving);
constexpr auto sharing_calls = joined(everybody, waiting, serving, files);

} // namespace

std::span<const AllowedCall> calls_of(ThreadKind kind) {
    switch (kind) {
    case ThreadKind::console:
        return console_calls;
    case ThreadKind::main_loop:
        return main_loop_calls;
    case ThreadKind::main_loop_with_shares:
        return sharing_calls;
    case ThreadKind::vcpu:
        break;
    }
    return everybody;
}

} // namespace vmm
