#!/bin/sh
# Sees to it that rustfmt and clippy are there: a minimal toolchain comes without them.
set -eu
for component in rustfmt clippy; do
    case $component in
        rustfmt) probe="cargo fmt --version" ;;
        clippy) probe="cargo clippy --version" ;;
    esac
    if $probe >/dev/null 2>&1; then
        continue
    fi
    if command -v rustup >/dev/null; then
        rustup component add "$component"
    else
        echo "\`make lint\` needs $component: install the package that your distribution has for it." >&2
        exit 1
    fi
done
