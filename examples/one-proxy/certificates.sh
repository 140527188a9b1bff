#!/bin/sh
# Makes what the example needs, in the folder named (./certificates unless said otherwise): an
# authority to try things with, the proxy's wildcard certificate, and the services' own.
# Nothing that is there already is replaced.
set -eu
folder=${1:-certificates}
mkdir -p "$folder"
cd "$folder"
umask 077

if [ ! -e ca.pem ]; then
    openssl ecparam -name prime256v1 -genkey -noout -out ca.key
    openssl req -x509 -new -key ca.key -days 3650 -subj "/CN=One Proxy's authority" -out ca.pem
fi

# certificate FILE HOST: FILE.key and FILE.crt; FILE.pem holds both, as the proxy reads them.
certificate() {
    [ ! -e "$1.pem" ] || return 0
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    openssl req -new -key "$1.key" -subj "/CN=$2" -addext "subjectAltName=DNS:$2" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 825 \
        -copy_extensions copy -out "$1.crt" 2>/dev/null
    cat "$1.crt" "$1.key" >"$1.pem"
    rm "$1.csr"
}
certificate wildcard '*.example.test'
certificate git git.example.test
certificate vault vault.example.test
