# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the whole machine on QEMU; ./dev test --only system runs them."""
