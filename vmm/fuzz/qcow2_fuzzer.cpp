// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: qcow2 images, read and written. The input patches an image that is valid at first.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

#include "disk/qcow2_builder.hpp"
#include "disk/qcow2_image.hpp"
#include "fuzz/fuzz_input.hpp"
#include "libgunyah/error.hpp"

namespace {

constexpr std::uint64_t disk_size = 1 << 20;

// The image with patches at places that the input chooses, in a file without a file system.
int image_file(vmm::fuzz::FuzzInput& input) {
    static const int fd = ::memfd_create("image", MFD_CLOEXEC);
    vmm::test::Qcow2Builder builder{disk_size};
    builder.put<std::uint64_t>(3 * builder.cluster(), 4 * builder.cluster() | 1ULL << 63);
    builder.put<std::uint64_t>(5 * builder.cluster() - 8, 0);
    // The third cluster is compressed: the data, from the input, stand at the file's end.
    const std::size_t packed_at = 5 * builder.cluster() - 512;
    builder.put<std::uint64_t>(4 * builder.cluster() + 16, 1ULL << 62 | 1ULL << 54 | packed_at);
    for (auto patches = input.take<std::uint8_t>() % 8; patches != 0; --patches) {
        // Header and the beginnings of the tables are what counts.
        const auto place = input.take<std::uint8_t>();
        const std::size_t offset =
            place < 128 ? place : place % 5 * builder.cluster() + place / 8 * 8;
        builder.put<std::uint64_t>(offset, input.take<std::uint64_t>());
    }
    const auto packed = input.take_bytes(input.take<std::uint8_t>());
    for (std::size_t index = 0; index < packed.size(); ++index) {
        builder.put(packed_at + index, std::to_integer<std::uint8_t>(packed[index]));
    }
    const auto& bytes = builder.bytes();
    if (::ftruncate(fd, 0) != 0 ||
        ::pwrite(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        std::abort();
    }
    return fd;
}

void use(vmm::DiskImage& disk, vmm::fuzz::FuzzInput& input) {
    std::vector<std::byte> buffer(3 * 65'536);
    while (!input.empty()) {
        const auto action = input.take<std::uint8_t>();
        const std::uint64_t sectors = std::min<std::uint64_t>(disk.sectors(), 1 << 16);
        const std::uint64_t first = input.take<std::uint16_t>() % sectors;
        const std::uint64_t count =
            std::min<std::uint64_t>({input.take<std::uint8_t>(), sectors - first, 384U});
        std::vector<iovec> pieces{{buffer.data(), count * 512}};
        switch (action % 5) {
        case 0:
            static_cast<void>(disk.read(pieces, first * 512));
            break;
        case 1:
            static_cast<void>(disk.read_only() || disk.write(pieces, first * 512));
            break;
        case 2:
            static_cast<void>(disk.read_only() ||
                              disk.write_zeroes(first * 512, count * 512, true));
            break;
        case 3:
            if (!disk.read_only()) {
                disk.discard(first * 512, count * 512);
            }
            break;
        default:
            static_cast<void>(disk.flush());
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vmm::fuzz::FuzzInput input{data, size};
    const bool read_only = (input.take<std::uint8_t>() & 1) != 0;
    const std::string path = fmt::format("/proc/self/fd/{}", image_file(input));
    try {
        use(*vmm::Qcow2Image::open(path, read_only), input);
    } catch (const gunyah::Error&) {
        return 0;
    }
    return 0;
}
