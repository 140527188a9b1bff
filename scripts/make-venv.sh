#!/bin/sh
# Makes the virtual environment $1 with a Python of at least 3.11 and installs requirements.lock
# into it. PYTHON3 chooses the interpreter; otherwise the first one on PATH that is new enough.
set -eu
venv=$1

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON3:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "Isthmus needs Python 3.11 or later; none was found (set PYTHON3 to name one)." >&2
    exit 1
}

python=$(find_python)

# Debian's python3 comes without the part that makes environments.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -q || echo "apt-get update failed; trying with the lists at hand." >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-venv
    else
        echo "$python cannot make virtual environments: install the package python3-venv." >&2
        exit 1
    fi
fi

for tool in cargo cc; do
    if ! command -v "$tool" >/dev/null; then
        echo "Isthmus needs Rust 1.85 or later and a C linker; \`$tool\` was not found." >&2
        exit 1
    fi
done

if ! { [ -x "$venv/bin/python" ] && new_enough "$venv/bin/python"; }; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
