"""The diagnostic codes of network files: E2000 to E2049 reading, E2100 to E2149 checks on the whole."""

from __future__ import annotations

from isthmus.config import register

UNREADABLE = register(
    "E2000", "network file cannot be read", "The file is missing, may not be read, or is not UTF-8 text."
)
SYNTAX = register(
    "E2001",
    "not YAML",
    "The text breaks a rule of YAML: indentation by tabs, a bracket never closed, a quote missing.",
    "namespaces: {red: {}   # the closing bracket is missing",
)
TOO_LARGE = register(
    "E2002",
    "network file too large",
    "A file may be 4 MiB, nest 40 levels, and hold 1,000,000 values once aliases are followed.",
)
DUPLICATE_KEY = register(
    "E2003",
    "key written twice",
    "A mapping has each key once; YAML readers disagree on which of two would count.",
    "red: {lo: up, lo: down}",
)
BAD_ALIAS = register(
    "E2004",
    "bad alias or merge key",
    "`*name` needs an `&name` that ended before it; `<<` takes a mapping or a list of mappings.",
)
BAD_TAG = register("E2005", "tag not supported", "Values have no tags such as `!!binary` in a network file.")
BAD_INCLUDE = register(
    "E2006",
    "include in a loop",
    "A file may not include itself, neither directly nor by way of another file.",
)
BAD_EXPRESSION = register(
    "E2010",
    "bad expression",
    """`${...}` holds names, whole numbers, + - * // %, `a.b` and `a[0]`, and a format behind a colon.
    Numbers have at most 128 bits. `$$` is one `$`.""",
    "name: t${i +}",
)
UNKNOWN_VARIABLE = register(
    "E2011", "unknown variable", "Variables come from `variables:` and from `each:` of the blocks around."
)
TOO_MANY = register(
    "E2012",
    "template too large",
    "All templates of a file make at most 100,000 rounds and 1,000,000 values; blocks nest 16 deep.",
)
BAD_EACH = register(
    "E2013",
    "bad `for`",
    "A block has `each:`, which says for every variable a range (`1..500`) or a list.",
    "for: [{each: {i: 1..3}, namespaces: {'t${i}': {}}}]",
)
UNKNOWN_KEY = register(
    "E2020",
    "unknown key",
    "Keys that mean nothing here are refused: one misspelt would be a setting lost.",
    "namespaces: {red: {hostnam: alpha}}   # meant: hostname",
)
MISSING_KEY = register("E2021", "missing key", "What stands here needs a key that is not there.")
WRONG_SHAPE = register(
    "E2022", "wrong kind of value", "A mapping, a list or a single value stands where another belongs."
)
BAD_VALUE = register("E2023", "bad value", "The value is not of the kind that the key takes.", "mtu: large")
CLASHING_KEYS = register("E2024", "keys that exclude one another", "Exactly one of these keys may be there.")
BAD_KEY_FILE = register("E2025", "key file cannot be used", "A wireguard key file holds one key in base64.")
OPEN_KEY_FILE = register(
    "W2026", "key file readable by others", "Anyone who reads the key can join: make the file's mode 0600."
)
BAD_SENTENCE = register(
    "E2030",
    "expectation not understood",
    "An expectation is a sentence of one of the forms that the message names.",
    "expect: [red can pnig blue]",
)
UNKNOWN_NAME = register(
    "E2100", "unknown name", "The name refers to something that the file (with its includes) does not have."
)
DUPLICATE_NAME = register("E2101", "name used twice", "Interfaces of one namespace have different names.")
RESERVED = register(
    "E2102",
    "reserved namespace",
    """`host` is where the network is built and `outside` where the command was started: neither is made,
    and nothing can be changed in `outside`.""",
)
LOOP = register("E2103", "loop", "Services that need, or interfaces that stand on, themselves never start.")
BAD_MASTER = register("E2104", "bad master", "A master is a bridge or a VRF in the interface's namespace.")
NO_FILTERING = register(
    "E2105",
    "VLANs on a bridge that does not filter them",
    "`vlan:` on a port has an effect only where the bridge has `vlan-filtering: true`.",
)
SAME_ADDRESS = register(
    "E2106", "same address twice", "Two interfaces of one namespace have the same address or MAC."
)
MIXED_FAMILIES = register(
    "E2107", "IPv4 and IPv6 mixed", "A route's or a rule's addresses are all of one family.", "to: default"
)
SAME_PEER = register(
    "E2108",
    "peer or its network given twice",
    "A tunnel knows each peer once, and sends what is for a network to one peer only.",
)
