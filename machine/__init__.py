# SPDX-License-Identifier: BSD-3-Clause
"""Makes a bootable machine: packages, kernel, builds, images, QEMU. Entered through ./dev."""
