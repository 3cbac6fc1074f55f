// SPDX-License-Identifier: BSD-3-Clause
// The vCPU's descriptor and its run page.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "cases.hpp"
#include "guest.hpp"

namespace driver {
namespace {

FileDescriptor new_vcpu(int vm, std::uint32_t id) {
    const long vcpu = add_vcpu(vm, id);
    expect(vcpu >= 0, "a vCPU is not added");
    return FileDescriptor{static_cast<int>(vcpu)};
}

long map_error(int vcpu, std::size_t size, int flags, long offset) {
    void* place = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, vcpu, offset);
    if (place == MAP_FAILED) {
        return -errno;
    }
    ::munmap(place, size);
    return 0;
}

// Finding 8.
void run_page_is_one_page() {
    const FileDescriptor vm = create_vm();
    const FileDescriptor vcpu = new_vcpu(vm.get(), 0);
    expect_equal(call(vcpu.get(), GH_VCPU_MMAP_SIZE), page, "GH_VCPU_MMAP_SIZE");
    expect_equal(map_error(vcpu.get(), page, MAP_SHARED, 0), 0, "the page");
    expect_equal(map_error(vcpu.get(), 2 * page, MAP_SHARED, 0), -EINVAL, "two pages");
    expect_equal(map_error(vcpu.get(), page, MAP_SHARED, page), -EINVAL, "the page behind it");
    expect_equal(map_error(vcpu.get(), page, MAP_SHARED, long{1} << 40), -EINVAL, "far behind it");
    expect_equal(map_error(vcpu.get(), page, MAP_PRIVATE, 0), -EINVAL, "a copy of it");
}

// Finding 8: the mapping can be made larger afterwards; touching what is new kills the process.
void run_page_does_not_grow() {
    const FileDescriptor vm = create_vm();
    const FileDescriptor vcpu = new_vcpu(vm.get(), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        void* place = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu.get(), 0);
        void* more = ::mremap(place, page, 4 * page, MREMAP_MAYMOVE);
        if (more == MAP_FAILED) {
            ::_exit(0);
        }
        static_cast<volatile char*>(more)[page] = 1;
        ::_exit(2);
    }
    int status = 0;
    expect_equal(::waitpid(child, &status, 0), child, "waitpid");
    const bool refused = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS;
    expect(refused || killed, "there is something behind the run page");
}

void run_page_outlives_its_vcpu() {
    FileDescriptor vm = create_vm();
    FileDescriptor vcpu = new_vcpu(vm.get(), 0);
    const Mapping run{page, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu.get()};
    vcpu = FileDescriptor{};
    expect_equal(remove_vcpu(vm.get(), 0), 0, "removal");
    vm = FileDescriptor{};
    run.bytes()[0] = std::byte{1};
    expect_equal(static_cast<long>(run.bytes()[0]), 1, "the page is there");
}

void does_not_run_without_a_vm() {
    const Guest guest{Mapping::anonymous(2 * mebibyte)};
    expect_equal(call(guest.vcpu(), GH_VCPU_RUN), -ENODEV, "before the start");
    const FileDescriptor other = new_vcpu(guest.vm(), 77);
    guest.start();
    expect_equal(call(other.get(), GH_VCPU_RUN), -ENODEV, "a vCPU that the VM does not have");
    expect_equal(remove_vcpu(guest.vm(), 0), 0, "removal");
    expect_equal(call(guest.vcpu(), GH_VCPU_RUN), -ENODEV, "after its removal");
    const FileDescriptor again = new_vcpu(guest.vm(), 0);
    const Mapping run{page, PROT_READ | PROT_WRITE, MAP_SHARED, again.get()};
    expect_equal(call(again.get(), GH_VCPU_RUN), 0, "added again while the VM runs");
}

// Finding 20: the VM lives on in its vCPU and ends with it.
void keeps_its_vm() {
    Guest guest{Mapping::anonymous(2 * mebibyte)};
    guest.start();
    guest.close_vm();
    guest.perform(Operation::write_8, guest_device, 0x1122334455667788);
    expect_equal(static_cast<long>(guest.accesses().size()), 1, "writes");
    expect(guest.accesses()[0].value == 0x1122334455667788, "the value written");
}

void leaves_at_once_when_told_to() {
    Guest guest{Mapping::anonymous(2 * mebibyte)};
    guest.start();
    guest.run_page().immediate_exit = 1;
    expect_equal(call(guest.vcpu(), GH_VCPU_RUN), -EINTR, "with immediate_exit");
    guest.run_page().immediate_exit = 0;
    guest.perform(Operation::write_1, guest_device, 1);
    expect_equal(static_cast<long>(guest.accesses().size()), 1, "writes afterwards");
}

constexpr std::array cases{
    Case{"vcpu_run_page_is_one_page", run_page_is_one_page},
    Case{"vcpu_run_page_does_not_grow", run_page_does_not_grow},
    Case{"vcpu_run_page_outlives_its_vcpu", run_page_outlives_its_vcpu},
    Case{"vcpu_does_not_run_without_a_vm", does_not_run_without_a_vm},
    Case{"vcpu_keeps_its_vm", keeps_its_vm},
    Case{"vcpu_leaves_at_once_when_told_to", leaves_at_once_when_told_to},
};

} // namespace

std::span<const Case> vcpu_cases() {
    return cases;
}

} // namespace driver
