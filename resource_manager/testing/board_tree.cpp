// SPDX-License-Identifier: BSD-3-Clause
// Lets QEMU dump its device tree.
#include "testing/board_tree.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace rm::testing {

std::vector<std::byte> board_tree(unsigned cpus, const char* cpu) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("board-tree-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    const std::string payload = (folder / "payload").string();
    const std::string dump = (folder / "board.dtb").string();
    std::ofstream(payload) << std::string(4096, 'x');
    const std::string command =
        "timeout 60 qemu-system-aarch64 -M virt,virtualization=on,gic-version=3,dumpdtb=" + dump +
        " -cpu " + cpu + " -smp " + std::to_string(cpus) +
        " -m 2G -nic none -display none -kernel " + payload +
        " -device guest-loader,addr=0x48000000,kernel=" + payload +
        ",bootargs=console=ttyAMA0 -device guest-loader,addr=0x4c000000,initrd=" + payload +
        " >/dev/null 2>&1 </dev/null";
    const int status = std::system(command.c_str());
    std::ifstream file(dump, std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)),
                              std::istreambuf_iterator<char>());
    std::filesystem::remove_all(folder);
    if (status != 0 || content.empty()) {
        std::fprintf(stderr, "cannot run: %s\n", command.c_str());
        std::abort();
    }
    const auto* first = reinterpret_cast<const std::byte*>(content.data());
    return {first, first + content.size()};
}

} // namespace rm::testing
