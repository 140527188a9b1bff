"""How the constants of the hash function `wt6` were found from HAProxy's answers alone.

The converter `wt6` is asked for the hashes of no byte, of each single byte and of byte
pairs. The flips of single bytes show two parts: the byte XORed in at bit 18 and the byte
added, with carries, at bit 6. That is a pair of words, one fed by XOR and one by
addition, which change places while they are rotated; the empty input shows that
the result is the XOR of both. From there every constant is solved for, and the rule for
the rotation of later bytes is read from pairs. Run it to see the derivation hold.
"""

from __future__ import annotations

from itertools import product

from oracle import Oracle

MASK = 0xFFFFFFFF
_CONVERTER = """
backend wt6
    http-request return status 200 hdr x-srv %[req.hdr(k),b64dec,wt6]
backend empty
    http-request return status 200 hdr x-srv %[str(),wt6]
"""


def rotl(value: int, count: int) -> int:
    """`value` rotated left in 32 bits."""
    count %= 32
    return ((value << count) | (value >> (32 - count))) & MASK if count else value


def starts(empty: int, singles: list[int]) -> list[tuple[int, int, bool]]:
    """Every (XOR word, sum word, complemented) that explains the empty and single-byte hashes.

    With no byte the result is x ^ s; with the byte 0 it is rotl(x, 18) ^ rotl(s, 6), whether or not both
    words are complemented. Guessing the low 12 bits of x gives the rest twelve bits at a time.
    """
    want = singles[0] ^ rotl(empty, 6)
    found = []
    for low in range(16):
        bits = [low >> i & 1 if i < 4 else -1 for i in range(32)]
        # rotl(x, 6) ^ rotl(x, 18) = want: bit i of want is x[i - 6] ^ x[i - 18].
        for start in range(4):
            position = start
            for _ in range(7):
                following = (position + 12) % 32
                bits[following] = bits[position] ^ (want >> ((position + 18) % 32) & 1)
                position = following
        x = sum(bit << i for i, bit in enumerate(bits))
        s = x ^ empty
        for complemented in (False, True):
            flip = MASK if complemented else 0
            if all(
                rotl((x ^ byte) ^ flip, 18) ^ rotl(((s + byte) & MASK) ^ flip, 6) == singles[byte]
                for byte in range(256)
            ):
                found.append((x, s, complemented))
    return found


def rotations(x: int, s: int, flip: int, row: list[int], seconds: list[int]) -> list[tuple[int, int]]:
    """The rotations (of the sum word, of the XOR word) that explain the hashes of one first byte."""
    return [
        (step0, step1)
        for step0, step1 in product(range(32), repeat=2)
        if all(
            rotl((x ^ byte) ^ flip, step1) ^ rotl(((s + byte) & MASK) ^ flip, step0) == answer
            for byte, answer in zip(seconds, row, strict=True)
        )
    ]


def advance(x: int, s: int, flip: int, byte: int, step0: int, step1: int) -> tuple[int, int]:
    """The words after one byte: fed, complemented, rotated, and having changed places."""
    return rotl(((s + byte) & MASK) ^ flip, step0), rotl((x ^ byte) ^ flip, step1)


def main() -> None:
    """Ask, solve, print what was found."""
    lasts = [0, 1, 3, 85, 128, 255]
    prefixes = [bytes([first, second]) for first in range(0, 256, 16) for second in range(3, 256, 16)]
    with Oracle({}, _CONVERTER) as oracle:
        (empty,) = oracle.ask([("empty", {})])
        singles = oracle.keyed("wt6", [bytes([byte]) for byte in range(256)])
        pairs = {first: oracle.keyed("wt6", [bytes([first, last]) for last in lasts]) for first in range(256)}
        triples = {p: oracle.keyed("wt6", [p + bytes([last]) for last in lasts]) for p in prefixes}
    for x, s, complemented in starts(empty, singles):
        print(f"first words: x={x:#x} s={s:#x} complemented={complemented}")
        flip = MASK if complemented else 0
        ones = {first: advance(x, s, flip, first, 6, 18) for first in range(256)}
        options = [set(rotations(*ones[first], flip, pairs[first], lasts)) for first in range(256)]
        second = set.intersection(*options)
        print(f"  rotations of the second byte that hold for every first byte: {second}")
        for step0, step1 in second:
            table = []
            for prefix in prefixes:
                words = advance(*ones[prefix[0]], flip, prefix[1], step0, step1)
                third = rotations(*words, flip, triples[prefix], lasts)
                if len(third) == 1:
                    table.append((*words, *third[0]))
            print(f"  the third byte's rotation is known for {len(table)} of {len(prefixes)} prefixes")
            _print_sources(table)


def _print_sources(table: list[tuple[int, int, int, int]]) -> None:
    """Of which five neighbouring bits of the words is each rotation the XOR?"""
    for name, which in (("sum word", 2), ("XOR word", 3)):
        where = [
            (i, j)
            for i, j in product(range(28), repeat=2)
            if all((row[0] >> i ^ row[1] >> j) & 31 == row[which] for row in table)
        ]
        print(f"  the {name} turns by five bits of x from bit i XOR five of s from bit j: {where}")


if __name__ == "__main__":
    main()
