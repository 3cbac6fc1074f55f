#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# run_fuzzer.sh PROGRAM CORPUS SEEDS [OPTION...]: a fuzz target as a test, for GUNYAH_FUZZ_SECONDS
# (default 3).
program=$1 corpus=$2 seeds=$3
shift 3
exec "$program" -max_total_time="${GUNYAH_FUZZ_SECONDS:-3}" -timeout=20 -max_len=4096 -verbosity=0 \
    -artifact_prefix="$corpus-crash-" "$@" "$corpus" "$seeds"
