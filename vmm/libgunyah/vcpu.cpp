// SPDX-License-Identifier: BSD-3-Clause
// Vcpu: GH_VCPU_RUN and the decoding of its run page.
#include "libgunyah/vcpu.hpp"

#include <linux/gunyah.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace gunyah {
namespace {

static_assert(std::endian::native == std::endian::little, "run pages hold little-endian values");

// The driver maps exactly one page per vCPU (GH_VCPU_MMAP_SIZE).
std::size_t mapping_size(int fd) {
    const int size = ::ioctl(fd, GH_VCPU_MMAP_SIZE);
    if (size < 0 || static_cast<std::size_t>(size) < sizeof(gh_vcpu_run)) {
        throw Error::from_errno(size < 0 ? errno : EINVAL, "cannot size a vCPU's run page");
    }
    return static_cast<std::size_t>(size);
}

FunctionBinding bind(const VmHandle& vm, std::uint32_t id) {
    gh_fn_vcpu_arg argument{};
    argument.id = id;
    return {vm, GH_FN_VCPU, std::as_bytes(std::span{&argument, 1})};
}

int checked_fd(const FunctionBinding& binding, std::uint32_t id) {
    if (binding.result() < 0) {
        throw Error::from_errno(-binding.result(), fmt::format("cannot create vCPU {}", id), "",
                                "check that the module gunyah_vcpu is loaded");
    }
    return binding.result();
}

VcpuExit decode_mmio(const gh_vcpu_run& page) {
    const unsigned size = page.mmio.len;
    // No SIMD or SVE on the way of every exit (a call of memcpy, counting bits): Linux takes a trap
    // for its first use after a system call.
    if (size == 0 || size > sizeof(page.mmio.data) || (size & (size - 1)) != 0) {
        return UnknownExit{size};
    }
    if (page.mmio.is_write == 0) {
        return MmioRead{page.mmio.phys_addr, size};
    }
    std::uint64_t value = 0;
    std::memcpy(&value, page.mmio.data, sizeof(value));
    const unsigned unused_bits = 64 - size * 8;
    return MmioWrite{page.mmio.phys_addr, size, value << unused_bits >> unused_bits};
}

VcpuExit decode_status(const gh_vcpu_run& page) {
    const auto& info = page.status.exit_info;
    std::uint64_t reason = 0;
    std::memcpy(&reason, info.reason, std::min<std::size_t>(info.reason_size, sizeof(reason)));
    return VmStopped{static_cast<VmStopped::Status>(page.status.status),
                     static_cast<ExitType>(info.type), reason};
}

} // namespace

VcpuExit decode_exit(const gh_vcpu_run& page) {
    switch (page.exit_reason) {
    case GH_VCPU_EXIT_MMIO:
        return decode_mmio(page);
    case GH_VCPU_EXIT_STATUS:
        return decode_status(page);
    default:
        return UnknownExit{page.exit_reason};
    }
}

Vcpu::Vcpu(const VmHandle& vm, std::uint32_t id)
    : binding_{bind(vm, id)}, fd_{checked_fd(binding_, id)} {
    const std::size_t size = mapping_size(fd_.get());
    void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (page == MAP_FAILED) {
        throw Error::from_errno(errno, fmt::format("cannot map the run page of vCPU {}", id));
    }
    page_.reset(static_cast<gh_vcpu_run*>(page));
}

void Vcpu::UnmapPage::operator()(gh_vcpu_run* page) const {
    // munmap rounds the length up to whole pages; the mapping is one page.
    ::munmap(page, sizeof(*page));
}

VcpuExit Vcpu::run() {
    if (::ioctl(fd_.get(), GH_VCPU_RUN) == 0) {
        return decode_exit(*page_);
    }
    if (errno == EINTR || errno == EAGAIN) {
        return Interrupted{};
    }
    return RunFailed{errno};
}

void Vcpu::complete_read(std::uint64_t value) {
    std::memcpy(page_->mmio.data, &value, sizeof(page_->mmio.data));
}

void Vcpu::request_exit() {
    __atomic_store_n(&page_->immediate_exit, std::uint8_t{1}, __ATOMIC_RELEASE);
}

void Vcpu::forget_exit_request() {
    __atomic_store_n(&page_->immediate_exit, std::uint8_t{0}, __ATOMIC_RELEASE);
}

} // namespace gunyah
