# SPDX-License-Identifier: BSD-3-Clause
"""./dev test --only debian: Debian's own system as guest."""
