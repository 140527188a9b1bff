#!/bin/sh
# Runs the image `localhost/one-proxy` as one-proxy.container has it run, on its real ports in a network
# namespace made for it, asks it things with curl, stops it, and leaves nothing behind. Exit status 1
# where anything is wrong. Needs root, podman, ip, nsenter, openssl, curl, python3.
#
#     examples/one-proxy/try-image.sh
#     PODMAN_RUN='--cgroups=disabled' examples/one-proxy/try-image.sh     (more options for podman run)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=one-proxy-$$
folder=$(mktemp -d)
service= proxy=
# Not `ip netns exec`, which hides /sys/fs/cgroup from podman.
inside() { nsenter --net="/run/netns/$name" "$@"; }

clean() {
    [ -z "$proxy" ] || podman rm -f -i "$name" >/dev/null 2>&1 || true
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    ip netns del "$name" 2>/dev/null || true
    rm -rf "$folder"
}
trap clean EXIT
trap 'exit 1' INT TERM

wrong() {
    echo "WRONG: $1" >&2
    cat "$folder/log" >&2
    exit 1
}

# Waits up to 20 seconds for a command to succeed.
until_true() {
    for _ in $(seq 200); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    wrong "it did not come to \`$*\` within 20 seconds"
}

ask() {
    inside curl -s -m 10 --cacert "$folder/made/ca.pem" --connect-to ::127.0.0.1:443 "$@"
}

"$here/certificates.sh" "$folder/made"
install -d -o 10001 -m 700 "$folder/certificates"
install -o 10001 -m 400 "$folder/made/wildcard.pem" "$folder/made/ca.pem" "$folder/certificates"
ip netns add "$name"
ip -n "$name" link set lo up
mkdir "$folder/served"
echo 'from behind the proxy' >"$folder/served/index.html"
inside python3 -m http.server 9090 --bind 127.0.0.1 --directory "$folder/served" >>"$folder/log" 2>&1 &
service=$!

# shellcheck disable=SC2086
inside podman run --rm --name "$name" --network host --cap-drop all --cap-add NET_BIND_SERVICE \
    --security-opt no-new-privileges --read-only ${PODMAN_RUN-} \
    -v "$folder/certificates:/etc/one-proxy/certificates:ro,Z" localhost/one-proxy >>"$folder/log" 2>&1 &
proxy=$!

until_true inside curl -s -m 2 http://127.0.0.1/
until_true inside curl -s -m 2 http://127.0.0.1:9090/
[ "$(ask https://metrics.example.test/)" = 'from behind the proxy' ] || wrong 'no answer over HTTPS'
[ "$(ask -o "$folder/body" -w '%{http_code}' https://nobody.example.test/)" = 404 ] || wrong 'a name without service'
[ "$(inside curl -s -m 10 -o "$folder/body" -w '%{redirect_url}' -H 'Host: metrics.example.test' \
    http://127.0.0.1/x)" = https://metrics.example.test/x ] || wrong 'plain HTTP was not redirected'
podman stop --time 20 "$name" >/dev/null
wait "$proxy" || wrong "the proxy ended with status $?"
proxy=
echo 'the image works'
