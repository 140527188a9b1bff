"""The diagnostic codes of the dictionary: 0100 to 0149 for keywords, 0150 to 0249 for what they say."""

from __future__ import annotations

from isthmus.config import register

UNKNOWN_KEYWORD = register(
    "E0100", "unknown keyword", "Neither HAProxy nor Isthmus has a keyword of this name in this section."
)
NOT_IMPLEMENTED = register(
    "E0101",
    "known to HAProxy, not implemented yet",
    """HAProxy has this keyword and Isthmus will have it, but this version does not: starting without it
    would do something else than the configuration says.""",
)
UNKNOWN_SECTION = register(
    "E0102", "unknown section", "Neither HAProxy nor Isthmus has a section of this name."
)
WRONG_SECTION = register(
    "E0103", "keyword in the wrong section", "The keyword exists, and stands in another kind of section."
)
UNKNOWN_BIND_OPTION = register(
    "E0104",
    "unknown keyword on a bind line",
    "Behind the addresses of a bind line stand its options, each with its arguments.",
    "bind :8080 namespce blue   # meant: namespace",
)
UNKNOWN_SERVER_OPTION = register(
    "E0105",
    "unknown keyword on a server line",
    "Behind the address of a server line stand its options, each with its arguments.",
)
MISSING_ARGUMENT = register("E0106", "missing argument", "The keyword needs an argument that is not there.")
EXTRA_ARGUMENT = register(
    "E0107", "unexpected argument", "The keyword takes fewer words than stand behind it."
)
NOT_NEGATABLE = register(
    "E0108",
    "`no` or `default` where it has no meaning",
    "These prefixes work on options that are on or off, on log lines and on a few global keywords.",
)
UNKNOWN_OPTION = register("E0109", "unknown option", "HAProxy has no option of this name.")
REMOVED = register(
    "E0110", "removed keyword", "HAProxy no longer has this keyword; the message names what replaced it."
)
IGNORED_HERE = register(
    "W0111",
    "keyword without effect in this section",
    "As in HAProxy, the line is not used: this kind of proxy has no part that it applies to.",
)
NO_EFFECT = register(
    "W0112",
    "keyword without effect by design",
    "Isthmus accepts the keyword so that a configuration for HAProxy works, and has no use for it.",
)
BAD_SECTION_NAME = register(
    "E0113", "bad section name", "Names hold letters, digits, dashes, underscores, dots and colons."
)
DUPLICATE_NAME = register(
    "E0114", "name used twice", "Two frontends, or two backends, may not have the same name."
)
UNKNOWN_DEFAULTS = register(
    "E0115",
    "unknown defaults section",
    "`from NAME` refers to a defaults section of this name above it.",
)
BAD_VALUE = register("E0150", "bad value", "The argument is not of the form that the keyword takes.")
OUT_OF_RANGE = register("E0151", "value out of range", "The number is outside what the keyword takes.")
BAD_ADDRESS = register("E0152", "bad address", "The word is not an address of a form that stands here.")
DUPLICATE_ID = register("E0153", "id used twice", "An id that is written out names one thing only.")
DUPLICATE_SERVER = register("E0154", "server name used twice", "Servers of one backend have distinct names.")
ZERO_TIMEOUT = register(
    "W0155", "timeout of 0", "A timeout of 0 never expires, the same as no timeout at all."
)
NO_NAMESPACE = register(
    "E0160",
    "namespace does not exist",
    """A namespace must exist when the configuration is read, unless the word `optional` stands behind its
    name. `ip netns add NAME` makes one.""",
)
BAD_NAMESPACE = register(
    "E0161",
    "bad namespace",
    """A namespace is a name under /run/netns (letters, digits and `_:.-`), the absolute path of a namespace
    file, or pid:N for the one that a process is in.""",
)
DUPLICATE_NAMESPACE = register(
    "E0162", "namespace listed twice", "A name stands in namespace_list at most once."
)
OPEN_ACCEPT_PROXY = register(
    "W0163",
    "accept-proxy believes everybody",
    """Whoever can connect to this address can claim any source address and any listed namespace. Say who
    may with `accept-proxy from 10.0.0.0/8`, or use `tcp-request connection expect-proxy layer4 if ...`.""",
)
CHECK_WITHOUT_NAMESPACE = register(
    "W0164",
    "health check runs in the default namespace",
    """A check has no client whose namespace it could follow: with `namespace *` it runs in the namespace of
    the process, and may find another server than clients do. `check-namespace NAME` says where to check.""",
)
MISSING_CAPABILITY = register(
    "W0165",
    "capability is missing",
    """Sockets in other network namespaces need CAP_SYS_ADMIN over them; `transparent` and `usesrc` need
    CAP_NET_ADMIN or CAP_NET_RAW. Run as root, in a user namespace that owns the network namespaces, or with
    these capabilities.""",
)
MISSING_TIMEOUTS = register(
    "W0170",
    "missing timeouts",
    """Without timeouts, connections whose other end went silent stay forever and use up the process. Set
    `timeout connect`, `timeout client` and `timeout server`, best in `defaults`.""",
)
NO_BIND = register(
    "W0171", "frontend without bind", "Nothing can connect to a frontend that listens nowhere."
)
COOKIE_DOMAIN = register(
    "W0182",
    "cookie for a domain without a dot",
    "Browsers refuse cookies for a whole top domain (RFC 6265 section 5.3).",
)
SHARED_RULES = register(
    "E0184",
    "defaults with rules, followed by both kinds of proxies",
    """A rule in a defaults section is about the side on which it runs: the section can be followed by
    frontends or by backends, and not by listen sections.""",
)
UNKNOWN_BACKEND = register("E0172", "unknown backend", "No backend or listen section has this name.")
BACKEND_LOOP = register(
    "E0173", "backend loop", "A listen section cannot be its own default backend: traffic would never leave."
)
UNKNOWN_SERVER = register("E0174", "unknown server", "The backend has no server of this name.")
TRACKING = register(
    "E0175",
    "server cannot be tracked",
    "A tracked server is checked, or tracks one that is, and the chain has an end; the tracking one is not.",
)
UNRESOLVED = register(
    "E0176",
    "host name does not resolve",
    """The address of the server was not found when the configuration was read. `init-addr libc,none` starts
    without it: the server is then down.""",
)
UNRESOLVED_DOWN = register(
    "W0177",
    "host name does not resolve",
    "`init-addr` ends with none: the server starts without an address, down.",
)
NO_CHECK_PORT = register(
    "E0178",
    "no port to check",
    "The server's port depends on the client. `port N` says which port its health is checked on.",
)
NO_CHECK_ADDRESS = register(
    "E0179",
    "no address to check",
    "The server's address is the client's destination, and a check has no client. `addr` says what to check.",
)
NOT_AT_RUN_TIME = register(
    "E0180",
    "not at run time",
    """A server that `add server` makes while the program runs takes most keywords of server lines, not all;
    those that undo another (`no-check`) have nothing to undo there.""",
    "add server b/s 10.0.0.1:80 init-addr none   # host names are not looked up at run time",
)
