#!/bin/sh
# Installs the programs that tests run beside Isthmus, on Debian and Ubuntu, as root. Elsewhere it
# only says what is missing: tests that need it are skipped with that reason.
# Services that come with the packages are neither started now nor enabled for the next boot.
set -eu

missing=
needs() { # program package
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null || missing="$missing $2"
}
needs haproxy haproxy
needs nginx nginx-light
needs ip iproute2
needs nft nftables
needs ping iputils-ping
needs curl curl
needs socat socat
needs openssl openssl
needs sshd openssh-server
needs ssh openssh-client
needs pebble pebble

if [ -z "$missing" ]; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not installed:$missing. Tests that need them will be skipped." >&2
    exit 0
fi

policy=/usr/sbin/policy-rc.d
placed_policy=no
if [ ! -e "$policy" ]; then
    placed_policy=yes
    trap 'rm -f "$policy"' EXIT
    # invoke-rc.d asks this file before a package's script may start a service: 101 forbids it.
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

apt-get update -q || echo "apt-get update failed; trying with the lists at hand." >&2
# shellcheck disable=SC2086 # a list of package names
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing

for package in $missing; do
    case $package in
        haproxy) service=haproxy ;;
        nginx-light) service=nginx ;;
        openssh-server) service=ssh ;;
        *) continue ;;
    esac
    if [ "$placed_policy" = no ]; then
        # Somebody else's policy may have let it start.
        service "$service" stop >/dev/null 2>&1 || true
    fi
    if command -v systemctl >/dev/null; then
        systemctl --quiet disable "$service" >/dev/null 2>&1 || true
    fi
done
