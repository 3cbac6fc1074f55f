// SPDX-License-Identifier: BSD-3-Clause
// Linux's virtqueue constants, without the part of their header that is not C++.
#pragma once

#define VIRTIO_RING_NO_LEGACY
#include <linux/virtio_ring.h>
