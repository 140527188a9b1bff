"""The diagnostic codes of TLS: 0600 to 0679."""

from __future__ import annotations

from isthmus.config import register

BAD_CERTIFICATE = register(
    "E0600",
    "certificate cannot be used",
    """`crt` names a PEM file with a certificate, what leads to its authority, and the private key, which may
    stand in a file of the same name with `.key` behind it. The key is the certificate's own, without a
    passphrase.""",
    "bind :443 ssl crt /etc/ssl/private/site.pem",
)
NO_CERTIFICATE = register(
    "E0601",
    "bind line without a certificate",
    "`ssl` on a bind line needs `crt`, `crt-list` or `default-crt`.",
    "bind :443 ssl crt /etc/ssl/private/site.pem",
)
NO_AUTHORITY = register(
    "E0602",
    "nobody to verify certificates with",
    """`verify` needs the certificates of authorities: `ca-file` names a PEM file, a folder of them, or
    @system-ca, which are those of the operating system. `verify none` on a server line believes whoever
    answers.""",
    "server s 10.0.0.1:443 ssl verify required ca-file @system-ca",
)
BAD_AUTHORITY = register(
    "E0603",
    "file of authorities cannot be used",
    "`ca-file` and `ca-verify-file` name PEM files with certificates, folders of them, or @system-ca.",
)
BAD_REVOCATIONS = register(
    "E0604",
    "revocation list cannot be used",
    """`crl-file` names a PEM file with one or more X.509 CRL blocks, one for each authority of the chain.
    Lists that tell changes to other ones (delta CRLs), that are for other authorities' certificates too, or
    that have critical extensions nobody knows, are not understood.""",
)
NO_VERSION_LEFT = register(
    "E0605",
    "no version of TLS is left",
    """TLS 1.2 and 1.3 are what can be spoken. SSLv3, TLS 1.0 and 1.1 are broken, and are not there at all
    (RFC 7568, RFC 8996).""",
    "bind :443 ssl crt site.pem ssl-min-ver TLSv1.2",
)
BAD_CIPHERS = register(
    "E0606",
    "no cipher is left",
    """Ciphers of TLS 1.2 that can be done have ECDHE for key exchange and AES-GCM or ChaCha20-Poly1305 for
    the data; `ciphersuites` are the three of TLS 1.3. Ciphers without forward secrecy, with CBC or with
    finite-field DH are not there.""",
    "ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
)
BAD_CURVES = register(
    "E0607",
    "no curve is left",
    "Key exchange can use X25519, P-256 (prime256v1), P-384 (secp384r1) and hybrids with ML-KEM-768.",
    "curves X25519:P-256",
)
BAD_SIGALGS = register(
    "E0608",
    "no signature algorithm is left",
    """Signatures can be made with ECDSA (P-256, P-384, P-521), Ed25519, and RSA (PSS and PKCS#1), with
    SHA-256, SHA-384 or SHA-512.""",
    "sigalgs ECDSA+SHA256:RSA-PSS+SHA256",
)
BAD_TICKET_KEYS = register(
    "E0609",
    "ticket keys cannot be used",
    """The file of `tls-ticket-keys` has three or more lines, each with 48 or 80 bytes in base64, all of one
    length: `openssl rand 80 | openssl base64 -A`. The last but one makes tickets, all of them open them.""",
)
BAD_CRT_LIST = register(
    "E0610",
    "line of a crt-list cannot be used",
    "A line is a certificate, options between brackets, and names for which it is shown.",
    "site.pem [alpn h2,http/1.1 ssl-min-ver TLSv1.3] *.example.org !old.example.org",
)
BAD_CRT_STORE = register(
    "E0611",
    "line of a crt-store cannot be used",
    "A section `crt-store` has `crt-base`, `key-base` and `load` lines; crt @NAME/ALIAS refers to them.",
    "load crt site.pem key site.key alias site",
)
BAD_GENERATION = register(
    "E0612",
    "certificates cannot be generated",
    "`generate-certificates` needs `ca-sign-file`: a PEM file with an authority's certificate and key.",
)
CANNOT = register(
    "E0613",
    "TLS that cannot be done here",
    "Isthmus does TLS with rustls and aws-lc, not with OpenSSL; the message says what does the same.",
)
BAD_ALPN = register(
    "E0614",
    "bad list of protocols",
    "Names of protocols for ALPN have 1 to 255 bytes and stand between commas.",
    "alpn h2,http/1.1",
)
OLD_VERSION = register(
    "W0620",
    "old version of TLS is left out",
    "SSLv3, TLS 1.0 and TLS 1.1 are not there at all: clients and servers that know nothing newer fail.",
)
LEFT_OUT = register(
    "W0621",
    "part of a list is left out",
    "Some of what the list names cannot be done, or does not exist; the rest of it is used.",
)
EXPIRED = register(
    "W0622",
    "certificate is not valid now",
    "The certificate is shown all the same, as by HAProxy; clients that verify it will refuse it.",
)
UNUSED_PART = register(
    "W0623",
    "part of a certificate's file is not used",
    """DH parameters and signed certificate timestamps are of no use here: key exchange is ECDHE, and
    timestamps stand in certificates today.""",
)
NEVER_SHOWN = register(
    "W0624",
    "TLS without a certificate",
    "With `strict-sni` and no certificate, every connection is refused.",
)
NOT_USED = register(
    "W0625",
    "TLS setting without `ssl`",
    "The line names certificates and does not say `ssl`: it takes plain connections.",
)
UNSAFE_AUTHORITY = register(
    "W0626",
    "clients of every authority are believed",
    """@system-ca on a bind line accepts every client with a certificate of any authority that the operating
    system trusts, which anybody can get.""",
)
NOT_STAPLED = register(
    "W0627",
    "OCSP response is not used",
    """A response is stapled where it is about the certificate, says that it is good, and holds at the moment;
    it is DER, in a file of the certificate's name with `.ocsp` behind it.""",
)
UNUSED_CHAIN = register(
    "W0628",
    "file holds no chain",
    """Each file in the folder of `issuers-chain-path` is PEM: the certificate of an issuer, then those behind
    it. Other files complete no certificate.""",
)
NO_ANSWER = register(
    "W0629",
    "no rule answers challenges",
    """An authority asks over plain HTTP for what the map of a section `acme` holds; a rule of a frontend on
    port 80 answers it. Without one, every order fails.""",
    """http-request return status 200 content-type text/plain lf-string
    "%[path,field(-1,/)].%[path,field(-1,/),map(virt@acme)]" if { path_beg /.well-known/acme-challenge/ }""",
)
