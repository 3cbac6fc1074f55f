// SPDX-License-Identifier: BSD-3-Clause
// Memory that only the guest can reach, and everyone else who tries.
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

#include "cases.hpp"
#include "guest.hpp"

namespace driver {
namespace {

constexpr std::size_t probe = 0x40000; // in the guest's memory, away from program and tree
constexpr std::uint64_t secret = 0x5ec4e75ec4e7;
constexpr std::size_t guest_size = 2 * mebibyte;

sigjmp_buf after_fault;
volatile int fault_signal = 0;

void note_fault(int signal) {
    fault_signal = signal;
    siglongjmp(after_fault, 1); // NOLINT(bugprone-signal-handler): nothing is on this stack
}

// The signal that ACCESS ends in, or 0.
template <typename Access>
int signal_of(Access access) {
    struct sigaction action{};
    action.sa_handler = note_fault;
    ::sigaction(SIGBUS, &action, nullptr);
    ::sigaction(SIGSEGV, &action, nullptr);
    fault_signal = 0;
    if (sigsetjmp(after_fault, 1) == 0) {
        access();
    }
    return fault_signal;
}

std::uint64_t& word_at(std::span<std::byte> memory, std::size_t offset) {
    return *reinterpret_cast<std::uint64_t*>(memory.data() + offset);
}

void expect_out_of_reach(std::span<std::byte> memory) {
    volatile std::uint64_t& word = word_at(memory, probe);
    std::uint64_t found = 0;
    expect_equal(signal_of([&] { found = word; }), SIGBUS, "the signal of a read");
    expect(found == 0, "something was read");
    expect_equal(signal_of([&] { word = 1; }), SIGBUS, "the signal of a write");
}

void expect_guest_has(Guest& guest) {
    guest.perform(Operation::read_8, guest_base + probe);
    expect(guest.result() == secret, "the guest does not find what was put into its memory");
}

void is_out_of_reach_from_the_start_on() {
    for (const bool huge : {false, true}) {
        Guest guest{huge ? Mapping::huge(guest_size) : Mapping::anonymous(guest_size),
                    {.lend = true}};
        word_at(guest.memory(), probe) = secret;
        guest.start();
        expect_out_of_reach(guest.memory());
        expect_guest_has(guest);
        guest.perform(Operation::write_8, guest_base + probe, 1);
        expect(guest.accesses().empty(), "its write comes back to the VMM");
        expect_out_of_reach(guest.memory());
    }
}

void is_out_of_the_kernels_reach() {
    const FileDescriptor zeroes{::open("/dev/zero", O_RDONLY | O_CLOEXEC)};
    const FileDescriptor self{::open("/proc/self/mem", O_RDWR | O_CLOEXEC)};
    std::array<int, 2> pipe{};
    expect_equal(::pipe2(pipe.data(), O_CLOEXEC), 0, "pipe2");
    Guest guest{Mapping::anonymous(guest_size), {.lend = true}};
    guest.start();
    std::byte* there = guest.memory().data() + probe;
    std::uint64_t here = 0;
    const auto failed = [](long result) { return result < 0 ? -errno : result; };
    expect_equal(failed(::read(zeroes.get(), there, 4096)), -EFAULT, "read()");
    expect_equal(failed(::write(pipe[1], there, 4096)), -EFAULT, "write()");
    const iovec mine{&here, sizeof(here)};
    const iovec lent{there, sizeof(here)};
    expect_equal(failed(::process_vm_readv(::getpid(), &mine, 1, &lent, 1, 0)), -EFAULT,
                 "process_vm_readv()");
    expect_equal(failed(::process_vm_writev(::getpid(), &mine, 1, &lent, 1, 0)), -EFAULT,
                 "process_vm_writev()");
    const auto at = std::bit_cast<off_t>(there);
    expect_equal(failed(::pread(self.get(), &here, sizeof(here), at)), -EIO, "/proc/self/mem");
    expect_equal(failed(::pwrite(self.get(), &here, sizeof(here), at)), -EIO, "the same, writing");
    expect_equal(failed(::vmsplice(pipe[1], &lent, 1, 0)), -EFAULT, "vmsplice()");
    guest.perform(Operation::read_8, guest_base + probe);
    expect(guest.result() == 0, "one of them wrote into the guest's memory");
}

void of_a_memfd_becomes_a_hole() {
    const FileDescriptor memfd{::memfd_create("guest", MFD_CLOEXEC)};
    expect_equal(::ftruncate(memfd.get(), guest_size + page), 0, "ftruncate");
    constexpr int both = PROT_READ | PROT_WRITE;
    const Mapping other{guest_size + page, both, MAP_SHARED, memfd.get()};
    Guest guest{Mapping{guest_size, both, MAP_SHARED, memfd.get()}, {.lend = true}};
    word_at(guest.memory(), probe) = secret;
    word_at(other.bytes(), guest_size) = secret;
    guest.start();
    expect_out_of_reach(guest.memory());
    std::uint64_t found = 1;
    expect_equal(::pread(memfd.get(), &found, sizeof(found), probe), sizeof(found), "pread()");
    expect(found == 0, "the file still has what was lent");
    expect(word_at(other.bytes(), probe) == 0, "another mapping still has what was lent");
    expect(word_at(other.bytes(), guest_size) == secret, "the file lost what was not lent");
    word_at(other.bytes(), probe) = 7;
    expect_guest_has(guest);
}

// The process that has lent memory dumps core: of everything else.
void is_in_no_core_dump() {
    ::chdir("/tmp");
    std::ofstream{"/proc/sys/kernel/core_pattern"} << "/tmp/driver-test-core\n";
    const pid_t child = ::fork();
    if (child == 0) {
        const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
        ::setrlimit(RLIMIT_CORE, &unlimited);
        Guest guest{Mapping::anonymous(guest_size), {.lend = true}};
        guest.start();
        ::signal(SIGABRT, SIG_DFL);
        ::abort();
    }
    int status = 0;
    expect_equal(::waitpid(child, &status, 0), child, "waitpid");
    ::unlink("/tmp/driver-test-core");
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "it did not abort");
    expect(WCOREDUMP(status), "there was no core dump");
}

std::uint64_t physical_address(const std::byte* where) {
    return (page_map_entry(where) & page_map_frame) * page;
}

// Where /proc/kcore has the kernel's own mapping of a physical address.
off_t kcore_offset(int kcore, std::uint64_t physical) {
    Elf64_Ehdr header{};
    expect_equal(::pread(kcore, &header, sizeof(header), 0), sizeof(header), "/proc/kcore");
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr part{};
        const auto at = static_cast<off_t>(header.e_phoff + i * sizeof(part));
        expect_equal(::pread(kcore, &part, sizeof(part), at), sizeof(part), "its headers");
        if (part.p_type == PT_LOAD && part.p_paddr <= physical &&
            physical - part.p_paddr < part.p_memsz) {
            return static_cast<off_t>(part.p_offset + (physical - part.p_paddr));
        }
    }
    return -1;
}

// The kernel itself goes there, by an access that it has a fixup for: what the hypervisor reports
// must be something of which fixups are looked up.
void is_survived_by_the_kernel_itself() {
    const FileDescriptor kcore{::open("/proc/kcore", O_RDONLY | O_CLOEXEC)};
    Guest guest{Mapping::anonymous(guest_size), {.lend = true}};
    word_at(guest.memory(), probe) = secret;
    const off_t at = kcore_offset(kcore.get(), physical_address(guest.memory().data() + probe));
    expect(at >= 0, "/proc/kcore does not have the page");
    std::uint64_t found = 0;
    expect_equal(::pread(kcore.get(), &found, sizeof(found), at), sizeof(found), "before");
    expect(found == secret, "/proc/kcore has another page there");
    guest.start();
    found = 1;
    const long got = ::pread(kcore.get(), &found, sizeof(found), at);
    expect(got <= 0 || found == 0, "the kernel still reads what was lent");
    expect_guest_has(guest);
}

void that_has_moved_is_not_lent() {
    const long before = locked_kib();
    Guest guest{Mapping::anonymous(guest_size), {.lend = true}};
    void* place = ::mmap(guest.memory().data() + probe, page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    expect(place != MAP_FAILED, "mmap");
    expect_equal(driver::start(guest.vm()), -EFAULT, "a start without one of the pages");
    expect_equal(locked_kib() - before, 0, "KiB locked after the failure");
}

void expect_huge_page_is_lent(int memfd, int flags) {
    constexpr int both = PROT_READ | PROT_WRITE;
    {
        const FileDescriptor vm = create_vm();
        const Mapping all{guest_size, both, flags, memfd};
        all.bytes().front() = std::byte{1};
        expect_equal(lend_region(vm.get(), 0, guest_base, all.bytes().first(guest_size / 2)),
                     -EOPNOTSUPP, "half of a huge page");
        expect_equal(lend_region(vm.get(), 0, guest_base, all.bytes().last(guest_size / 2)),
                     -EOPNOTSUPP, "the other half");
    }
    Guest guest{Mapping{guest_size, both, flags, memfd}, {.lend = true}};
    word_at(guest.memory(), probe) = secret;
    guest.start();
    expect_out_of_reach(guest.memory());
    std::uint64_t found = 0;
    if (memfd >= 0) {
        expect_equal(::pread(memfd, &found, sizeof(found), probe), sizeof(found), "pread()");
        expect(found == 0, "the file still has what was lent");
    }
    expect_guest_has(guest);
}

void of_hugetlbfs_works() {
    std::ofstream{"/proc/sys/vm/nr_hugepages"} << "4\n";
    expect_huge_page_is_lent(-1, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);
    {
        const FileDescriptor memfd{::memfd_create("guest", MFD_CLOEXEC | MFD_HUGETLB)};
        expect_equal(::ftruncate(memfd.get(), guest_size), 0, "ftruncate");
        expect_huge_page_is_lent(memfd.get(), MAP_SHARED);
    }
    std::ofstream{"/proc/sys/vm/nr_hugepages"} << "0\n";
    expect_equal(meminfo_kib("HugePages_Total"), 0, "huge pages that are still in use");
}

void of_a_huge_page_of_a_memfd_works() {
    std::ofstream{"/sys/kernel/mm/transparent_hugepage/shmem_enabled"} << "force\n";
    const FileDescriptor memfd{::memfd_create("guest", MFD_CLOEXEC)};
    expect_equal(::ftruncate(memfd.get(), guest_size), 0, "ftruncate");
    expect_huge_page_is_lent(memfd.get(), MAP_SHARED);
    std::ofstream{"/sys/kernel/mm/transparent_hugepage/shmem_enabled"} << "never\n";
}

void by_a_wrong_process_is_refused() {
    const Guest guest{Mapping::anonymous(guest_size), {.lend = true}};
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(driver::start(guest.vm()) == -EPERM ? 0 : 1);
    }
    int status = 0;
    expect_equal(::waitpid(child, &status, 0), child, "waitpid");
    expect_equal(status, 0, "another process starts the VM");
}

// In memory of its own below the rest, and within the memory that the guest has anyway.
void firmware_runs_first() {
    for (const std::uint64_t address : {std::uint64_t{0x7fc00000}, guest_base + probe}) {
        Guest guest{Mapping::anonymous(guest_size), {.lend = true, .firmware = address}};
        guest.start();
        guest.perform(Operation::read_8, address + firmware_note);
        expect(guest.result() == guest_tree_address, "the firmware did not run, or got no tree");
        expect_out_of_reach(guest.memory());
        if (address < guest_base) {
            volatile std::byte& first = guest.firmware().front();
            expect_equal(signal_of([&] { first = std::byte{1}; }), SIGBUS, "the firmware's memory");
        }
        guest.perform(Operation::system_off);
        expect(guest.ended().has_value(), "the guest has not ended");
    }
}

void firmware_is_refused_with_a_reason() {
    const Guest guest{Mapping::anonymous(guest_size), {.lend = true}};
    expect_equal(set_firmware(guest.vm(), guest_base, 0), -EINVAL, "no size");
    expect_equal(set_firmware(guest.vm(), ~std::uint64_t{0}, 2), -EOVERFLOW, "wraps");
    expect_equal(set_firmware(guest.vm(), guest_base + probe, page), 0, "within the memory");
    expect_equal(driver::start(guest.vm()), -EINVAL, "the device tree has no firmware-address");
    const Guest shared{Mapping::anonymous(guest_size)};
    expect_equal(set_firmware(shared.vm(), guest_base + probe, page), 0, "within shared memory");
    expect_equal(driver::start(shared.vm()), -EINVAL, "it has to be lent");
    expect_equal(call(shared.vm(), GH_VM_CHECK_EXTENSION, GH_CAP_LEND_USER_MEM), 1, "the question");
    expect_equal(call(shared.vm(), GH_VM_CHECK_EXTENSION, GH_CAP_VCPU_TIMER_WAKEUP), 0, "no timer");
    expect_equal(call(shared.vm(), GH_VM_CHECK_EXTENSION, 0x7777), 0, "an unknown number");
}

} // namespace

void hold_guest() {
    Guest guest{Mapping::huge(64 * mebibyte), {.lend = true}};
    guest.start();
    guest.perform(Operation::write_4, guest_device, 5);
    std::puts("holds lent memory");
    std::fflush(stdout);
    for (;;) {
        guest.perform(Operation::count, guest_device, 1);
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
}

namespace {

constexpr std::array cases{
    Case{"lent_memory_is_out_of_reach_from_the_start_on", is_out_of_reach_from_the_start_on},
    Case{"lent_memory_is_out_of_the_kernels_reach", is_out_of_the_kernels_reach},
    Case{"lent_memory_of_a_memfd_becomes_a_hole", of_a_memfd_becomes_a_hole},
    Case{"lent_memory_is_in_no_core_dump", is_in_no_core_dump},
    Case{"lent_memory_is_survived_by_the_kernel_itself", is_survived_by_the_kernel_itself},
    Case{"lent_memory_that_has_moved_is_not_lent", that_has_moved_is_not_lent},
    Case{"lent_memory_of_hugetlbfs_works", of_hugetlbfs_works},
    Case{"lent_memory_of_a_huge_page_of_a_memfd_works", of_a_huge_page_of_a_memfd_works},
    Case{"lent_memory_by_a_wrong_process_is_refused", by_a_wrong_process_is_refused},
    Case{"firmware_runs_first", firmware_runs_first},
    Case{"firmware_is_refused_with_a_reason", firmware_is_refused_with_a_reason},
};

} // namespace

std::span<const Case> lend_cases() {
    return cases;
}

} // namespace driver
