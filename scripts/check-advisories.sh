#!/bin/sh
# Licences, duplicate versions and known vulnerabilities of dependencies. Both tools are optional:
# they take long to build or to reach their databases, so their absence is said and not an error.
set -eu
venv=$1
if cargo deny --version >/dev/null 2>&1; then
    cargo deny --locked check --hide-inclusion-graph licenses bans sources
    # Its database of advisories comes over the network, which a build machine may not have.
    if cargo deny --locked fetch db >/dev/null 2>&1; then
        cargo deny --locked check advisories
    else
        echo "cargo-deny could not fetch its database: advisories of crates were not checked."
    fi
else
    echo "cargo-deny is not installed: licences and advisories of crates were not checked."
fi
if command -v pip-audit >/dev/null; then
    pip-audit --require-hashes --disable-pip -r requirements.lock
elif "$venv/bin/python" -c 'import pip_audit' 2>/dev/null; then
    "$venv/bin/python" -m pip_audit --require-hashes --disable-pip -r requirements.lock
else
    echo "pip-audit is not installed: advisories of Python packages were not checked."
fi
