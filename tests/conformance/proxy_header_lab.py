"""What the cases of the PROXY protocol share."""

from __future__ import annotations

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def crc32c(data: bytes) -> int:
    """RFC 4960's checksum, one bit at a time."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF
