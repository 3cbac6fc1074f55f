# SPDX-License-Identifier: BSD-3-Clause
"""Tests that concern more than one part."""
