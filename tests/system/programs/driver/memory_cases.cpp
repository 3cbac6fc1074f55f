// SPDX-License-Identifier: BSD-3-Clause
// GH_VM_SET_USER_MEM_REGION: whose memory, of what kind, and how much of it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>

#include "cases.hpp"
#include "guest.hpp"

namespace driver {
namespace {

constexpr const char* ramfs = "/tmp/driver-test-ramfs";

// Finding 1.
void is_charged_to_the_locked_memory_limit() {
    limit_locked_memory(mebibyte);
    const Mapping fits = Mapping::anonymous(mebibyte / 2);
    const Mapping too_much = Mapping::anonymous(mebibyte);
    const long before = locked_kib();
    {
        const FileDescriptor vm = create_vm();
        expect_equal(set_region(vm.get(), 0, guest_base, fits.bytes()), 0, "half of the limit");
        expect_equal(locked_kib() - before, 512, "KiB charged");
        expect_equal(set_region(vm.get(), 1, 2 * guest_base, too_much.bytes()), -ENOMEM,
                     "more than the limit");
        expect_equal(locked_kib() - before, 512, "KiB charged after the refusal");
    }
    expect_equal(locked_kib() - before, 0, "KiB charged after the VM's end");
}

// Finding 2. ramfs keeps its files in the page cache, like every file system that has a disk.
void of_a_file_is_refused() {
    ::mkdir(ramfs, 0700);
    expect_equal(::mount("none", ramfs, "ramfs", 0, nullptr), 0, "mounting ramfs");
    const std::string path = std::string{ramfs} + "/file";
    const FileDescriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    expect_equal(::ftruncate(file.get(), mebibyte), 0, "ftruncate");
    long shared = 0;
    long private_read = 0;
    bool copied = false;
    {
        const FileDescriptor vm = create_vm();
        const Mapping all{mebibyte, PROT_READ | PROT_WRITE, MAP_SHARED, file.get()};
        const Mapping copy{mebibyte, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.get()};
        shared = set_region(vm.get(), 0, guest_base, all.bytes());
        private_read = set_region(vm.get(), 1, 2 * guest_base, copy.bytes(), GH_MEM_ALLOW_READ);
        copied = (page_map_entry(copy.bytes().data()) & page_map_of_file) == 0;
    }
    ::umount2(ramfs, MNT_DETACH);
    expect_equal(shared, -EOPNOTSUPP, "pages of a file");
    // From Linux 6.2 on the kernel copies the pages of a private mapping before it pins them.
    expect(private_read == -EOPNOTSUPP || (private_read == 0 && copied),
           "unmodified pages of a private mapping of a file are taken");
}

long add(const Mapping& memory) {
    const FileDescriptor vm = create_vm();
    return set_region(vm.get(), 7, guest_base, memory.bytes());
}

void without_a_file_is_taken() {
    const FileDescriptor memfd{::memfd_create("memory", MFD_CLOEXEC)};
    expect_equal(::ftruncate(memfd.get(), mebibyte), 0, "ftruncate");
    constexpr int both = PROT_READ | PROT_WRITE;
    expect_equal(add(Mapping::anonymous(mebibyte)), 0, "private memory");
    expect_equal(add(Mapping::huge(4 * mebibyte)), 0, "huge pages");
    expect_equal(add(Mapping{mebibyte, both, MAP_SHARED | MAP_ANONYMOUS}), 0, "shared memory");
    expect_equal(add(Mapping{mebibyte, both, MAP_SHARED, memfd.get()}), 0, "memfd");
}

// Finding 1, as v12 mended it.
void is_given_by_the_creator_only() {
    const FileDescriptor vm = create_vm();
    const Mapping memory = Mapping::anonymous(mebibyte);
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(set_region(vm.get(), 0, guest_base, memory.bytes()) == -EPERM ? 0 : 1);
    }
    int status = 0;
    expect_equal(::waitpid(child, &status, 0), child, "waitpid");
    expect_equal(status, 0, "another process gives memory");
    expect_equal(set_region(vm.get(), 0, guest_base, memory.bytes()), 0, "the creator itself");
}

// Findings 24, 28 and 29.
void with_broken_arguments_is_refused() {
    const FileDescriptor vm = create_vm();
    const Mapping memory = Mapping::anonymous(mebibyte);
    const std::span<std::byte> all = memory.bytes();
    expect_equal(set_region(vm.get(), 0, guest_base, all.first(0)), -EINVAL, "no size");
    expect_equal(set_region(vm.get(), 0, guest_base, all, 0), -EINVAL, "no rights");
    expect_equal(set_region(vm.get(), 0, guest_base, all, 8), -EINVAL, "unknown rights");
    expect_equal(set_region(vm.get(), 0, guest_base + 1, all), -EINVAL, "unaligned in the guest");
    expect_equal(set_region(vm.get(), 0, guest_base, all.subspan(1, page)), -EINVAL, "unaligned");
    expect_equal(set_region(vm.get(), 0, guest_base, all.first(page + 1)), -EINVAL, "half a page");
    expect_equal(set_region(vm.get(), 0, ~std::uint64_t{0} - page + 1, all), -EOVERFLOW, "wraps");
    expect_equal(set_region(vm.get(), 0, guest_base, {all.data(), std::size_t{1} << 46}), -ENOMEM,
                 "64 TiB");
    expect_equal(set_region(vm.get(), 0, guest_base, {all.data() + (mebibyte << 20), page}),
                 -EFAULT, "where nothing is");
    expect_equal(set_region(vm.get(), 0, guest_base, all), 0, "what is right");
    expect_equal(set_region(vm.get(), 0, 2 * guest_base, all), -EEXIST, "the label again");
    expect_equal(set_region(vm.get(), 1, guest_base + mebibyte - page, all), -EEXIST, "overlaps");
    expect_equal(call(vm.get(), GH_VM_SET_USER_MEM_REGION, 8), -EFAULT, "no argument");
}

// Finding 29: v11 takes it, and the guest never sees it.
void after_the_start_is_refused() {
    const Guest guest{Mapping::anonymous(2 * mebibyte)};
    const Mapping more = Mapping::anonymous(mebibyte);
    guest.start();
    expect_equal(set_region(guest.vm(), 1, 2 * guest_base, more.bytes()), -EBUSY, "a region");
    expect_equal(set_tree(guest.vm(), guest_base, page), -EBUSY, "a device tree");
}

// Finding 29: v11 needs a kmalloc() of 16 bytes per page. From its first to its last page.
void of_more_than_a_gibibyte_works() {
    constexpr std::size_t size = 1280 * mebibyte;
    Guest guest{Mapping::anonymous(size)};
    auto* last = guest.memory().data() + size - page;
    *last = std::byte{42};
    guest.start();
    guest.perform(Operation::read_8, guest_base + size - page);
    expect_equal(static_cast<long>(guest.result()), 42, "the guest's view of its last page");
    guest.perform(Operation::write_1, guest_base + size - 1, 43);
    expect_equal(static_cast<long>(last[page - 1]), 43, "this view of its last byte");
}

long page_table_pages() {
    std::ifstream file{"/sys/kernel/debug/gunyah/counters"};
    std::string name;
    long value = 0;
    while (file >> name >> value && name != "page_table_pages") {
    }
    return value;
}

// A table of 4 KiB pages would be needed for each 2 MiB.
void of_huge_pages_is_mapped_by_blocks() {
    constexpr std::size_t size = 64 * mebibyte;
    const auto tables_for = [](Mapping memory) {
        // Every second page first, so that small ones are not side by side by chance.
        for (std::size_t i = 0; i < 2 * size; i += 2 * page) {
            memory.bytes()[i < size ? i : i - size + page] = std::byte{1};
        }
        const long before = page_table_pages();
        const Guest guest{std::move(memory)};
        guest.start();
        return page_table_pages() - before;
    };
    const long huge = tables_for(Mapping::huge(size));
    Mapping small = Mapping::huge(size);
    ::madvise(small.bytes().data(), size, MADV_NOHUGEPAGE);
    const long pages = tables_for(std::move(small));
    expect(huge < 12, std::to_string(huge) + " table pages for 64 MiB of huge pages");
    expect(pages > huge, "as many for small pages: " + std::to_string(pages));
}

constexpr std::array cases{
    Case{"memory_is_charged_to_the_locked_memory_limit", is_charged_to_the_locked_memory_limit},
    Case{"memory_of_a_file_is_refused", of_a_file_is_refused},
    Case{"memory_without_a_file_is_taken", without_a_file_is_taken},
    Case{"memory_is_given_by_the_creator_only", is_given_by_the_creator_only},
    Case{"memory_with_broken_arguments_is_refused", with_broken_arguments_is_refused},
    Case{"memory_after_the_start_is_refused", after_the_start_is_refused},
    Case{"memory_of_huge_pages_is_mapped_by_blocks", of_huge_pages_is_mapped_by_blocks},
    Case{"memory_of_more_than_a_gibibyte_works", of_more_than_a_gibibyte_works},
};

} // namespace

std::span<const Case> memory_cases() {
    return cases;
}

} // namespace driver
