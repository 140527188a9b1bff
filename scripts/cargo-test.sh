#!/bin/sh
# Runs the Rust tests with cargo-nextest where it is installed, else with cargo test. nextest does
# not run the examples in documentation; cargo does that either way.
set -eu
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --no-tests=pass "$@"
    cargo test --doc "$@"
else
    cargo test "$@"
fi
