// SPDX-License-Identifier: BSD-3-Clause
// Compressed clusters of qcow2 images (QEMU, docs/interop/qcow2.txt, "Compressed Clusters
// Descriptor" and "compression_type").
#pragma once

#include <cstddef>
#include <span>

namespace vmm {

enum class Qcow2Compression { zlib, zstd };

// Unpacks one cluster: fills all of `to`, whatever stands behind its data in `from`. False if
// `from` is not data that give a whole cluster.
[[nodiscard]] bool unpack_cluster(Qcow2Compression compression, std::span<const std::byte> from,
                                  std::span<std::byte> to);

} // namespace vmm
