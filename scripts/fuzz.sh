#!/bin/sh
# Runs every target of fuzz/ for $1 seconds. libFuzzer's instrumentation needs a nightly compiler, or a
# stable one that is told to behave as if it were.
set -eu
seconds=$1
nightly=+nightly
if ! cargo +nightly --version >/dev/null 2>&1; then
    nightly=
    export RUSTC_BOOTSTRAP=1
fi
# shellcheck disable=SC2086 # no toolchain, no argument
if ! cargo $nightly fuzz --version >/dev/null 2>&1; then
    echo "make fuzz needs cargo-fuzz (cargo install cargo-fuzz)." >&2
    exit 1
fi
# shellcheck disable=SC2086
targets=$(cargo $nightly fuzz list)
if [ -z "$targets" ]; then
    echo "fuzz/ holds no target." >&2
    exit 1
fi
for target in $targets; do
    echo "== $target: $seconds seconds"
    # What is found goes into the first folder, which git ignores; the seeds are kept in git.
    corpus=fuzz/corpus/$target
    seeds=fuzz/seeds/$target
    mkdir -p "$corpus"
    [ -d "$seeds" ] || seeds=
    # shellcheck disable=SC2086 # no toolchain or seeds, no argument
    cargo $nightly fuzz run "$target" "$corpus" $seeds -- "-max_total_time=$seconds"
done
