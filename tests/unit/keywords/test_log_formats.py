import pytest
from rule_words import codes, context, marked, words

from isthmus.keywords.log_formats import DEFAULT_TCP, TCPLOG, FormatKind, parse_format
from isthmus.keywords.vocabulary import Place
from isthmus.model.log import Alias, Encoding, Format, ItemType, Literal, LogWhen


def parse(text, kind=FormatKind.LOG, place=Place.LOG, **changes):
    ctx = context(**changes)
    (only,) = words(f"'{text}'")
    return parse_format(only, kind, place, ctx), ctx


def shape(parsed):
    """Each item as it would be written with its flags."""
    shown = []
    for item in parsed.items:
        if isinstance(item, Literal):
            shown.append(item.text)
        elif isinstance(item, Alias):
            shown.append((item.flags, item.name))
        else:
            shown.append((item.flags, [item.expression.fetch.name]))
    return shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%ci", [("M", "ci")]),
        ("%ci:%cp", [("M", "ci"), ":", ("M", "cp")]),
        ("a %% b", ["a % b"]),
        ("%%ci", ["%ci"]),
        ("%%%ci", ["%", ("M", "ci")]),
        ("%{+Q}ci %cp", [("MQ", "ci"), " ", ("M", "cp")]),
        ("%{+Q,-M}ci", [("Q", "ci")]),
        ("%{+Q+X}ci", [("MQX", "ci")]),
        ("%{+Q}o %ci %{-Q}cp %s", [("MQ", "ci"), " ", ("M", "cp"), " ", ("MQ", "s")]),
        ("<%{+Q}o %{-Q}o %ci>", ["< ", ("M", "ci"), ">"]),
        ("%[src]x", [("M", ["src"]), "x"]),
        ("%{+E}[src,lower]", [("EM", ["src"])]),
        ("%[str(a]b)]", [("M", ["str"])]),
        ('%[str("a]b")]', [("M", ["str"])]),
        ("%(client)ci", [("M", "ci")]),
        ("a  b   %ci  c ", ["a b ", ("M", "ci"), " c "]),
        ("  a", ["a"]),
        ("a\tb", ["a\tb"]),
    ],
)
def test_formats_are_read_as_haproxy_reads_them(text, expected):
    parsed, ctx = parse(text)
    assert codes(ctx) == []
    assert shape(parsed) == expected


def test_a_value_keeps_its_spaces_and_writes_nothing_for_nothing():
    assert shape(parse("a  %ci", FormatKind.VALUE)[0]) == ["a  ", ("", "ci")]


def test_a_unique_id_merges_spaces_and_writes_nothing_for_nothing():
    assert shape(parse("a  %ci", FormatKind.UNIQUE_ID)[0]) == ["a ", ("", "ci")]


@pytest.mark.parametrize(
    ("text", "when"),
    [("%ci %[src]", LogWhen.CONNECT), ("%s", LogWhen.CONNECT), ("%ci %Tt", LogWhen.END), ("%B", LogWhen.END)],
)
def test_the_moment_of_a_line_is_that_of_its_latest_part(text, when):
    assert parse(text)[0].when is when


def test_the_default_line_is_written_on_accept_and_tcplog_at_the_end():
    assert (DEFAULT_TCP.when, TCPLOG.when) == (LogWhen.ACCEPT, LogWhen.END)
    assert shape(DEFAULT_TCP)[:4] == ["Connect from ", ("M", "ci"), ":", ("M", "cp")]


@pytest.mark.parametrize(
    ("text", "code", "span"),
    [
        ("", "E0342", (1, 3)),
        ("%zz", "E0340", (2, 5)),
        ("%cix", "E0340", (2, 6)),
        ("x %", "E0342", (4, 5)),
        ("100% sure", "E0342", (5, 6)),
        ("%{+Q ci", "E0342", (3, 9)),
        ("%{+Q}", "E0342", (2, 7)),
        ("%{+Q}%ci", "E0342", (2, 7)),
        ("%[src", "E0342", (7, 7)),
        ("%[src ,lower]", "E0342", (7, 8)),
        ("%[]", "E0313", (4, 5)),
        ("%[foo]", "E0310", (4, 7)),
        ("%[ src]", "E0313", (4, 5)),
        ("%[src,foo]", "E0311", (8, 11)),
        ("%[req.len]", "E0316", (4, 11)),
        ("%HM", "E0341", (2, 5)),
        ("%{+Q}r", "E0341", (7, 8)),
        ("%{+Z}ci", "W0343", (4, 6)),
        ("%{Q}ci", "W0343", (4, 5)),
        ("%(a:int)ci", "E0500", (6, 9)),
        ("%(a:)ci", "E0500", (6, 6)),
        ("%{+json}o %ci", "W0500", (1, 16)),
        ("a%,b", "W0345", (3, 5)),
    ],
)
def test_a_wrong_format_is_marked_where_it_is_wrong(text, code, span):
    parsed, ctx = parse(text)
    assert (codes(ctx), marked(ctx)) == ([code], [span])
    assert (parsed is None) == code.startswith("E")


def test_all_errors_of_a_format_come_at_once():
    assert codes(parse("%zz %[foo] %HM")[1]) == ["E0340", "E0310", "E0341"]


def test_http_aliases_are_fine_in_http_mode():
    assert shape(parse("%HM", http=True)[0]) == [("M", "HM")]


def fields(record):
    """Each item of a record: its key, its type, and the item."""
    return [(each.name, each.type.value, *shape(Format((each.item,), LogWhen.END))) for each in record.fields]


@pytest.mark.parametrize(
    ("text", "encoding", "binary", "expected"),
    [
        ("%{+json}o %(client)ci text %cp", "json", False, [("client", "own", ("M", "ci"))]),
        ("%(early)ci %{+cbor,+bin}o", "cbor", True, [("early", "own", ("M", "ci"))]),
        ("%{+json}o %{+cbor}o %(a)ci", "cbor", False, [("a", "own", ("M", "ci"))]),
        (
            "%{+json}o %(a:str)[src] %(b:sint){+X}cp",
            "json",
            False,
            [("a", "str", ("M", ["src"])), ("b", "sint", ("MX", "cp"))],
        ),
        ("%{+json}o %(a)[fe_id] %(:bool)[fe_id]", "json", False, [("a", "own", ("M", ["fe_id"]))]),
    ],
)
def test_an_encoding_in_o_makes_one_record_of_the_named_items(text, encoding, binary, expected):
    parsed, ctx = parse(text)
    (record,) = parsed.items
    assert codes(ctx) == []
    assert (record.encoding.value, record.binary, fields(record)) == (encoding, binary, expected)


def test_a_record_waits_for_its_own_items_only():
    assert parse("%{+json}o %(a)ci %Tt")[0].when is LogWhen.CONNECT
    assert parse("%{+json}o %(a)Tt")[0].when is LogWhen.END


def test_an_encoding_on_one_item_encodes_that_one_alone():
    parsed, ctx = parse("x=%{+json}ci %(:bool){+cbor}[src] %cp")
    _, alone, _, typed, _, plain = parsed.items
    assert codes(ctx) == []
    assert (alone.encoding, alone.type, alone.item.name) == (Encoding.JSON, ItemType.OWN, "ci")
    assert (typed.encoding, typed.type) == (Encoding.CBOR, ItemType.BOOL)
    assert typed.item.expression.fetch.name == "src"
    assert plain == Alias("cp", "M")


def test_bin_in_o_keeps_bytes_and_on_one_item_does_nothing():
    assert shape(parse("%{+bin}o%[src]%ci")[0]) == [("BM", ["src"]), ("M", "ci")]
    assert shape(parse("%{+bin}[src]")[0]) == [("M", ["src"])]


def test_flags_taken_away_from_one_item_stay_away():
    assert shape(parse("%{+Q}o %{-Q,-M}[src]")[0]) == [("", ["src"])]


def test_the_values_of_a_format_include_those_of_records_and_encoded_items():
    record, alone = parse("%{+json}o %(a)ci")[0], parse("a%{+json}ci %cp")[0]
    assert [[each.name for each in found.values()] for found in (record, alone)] == [["ci"], ["ci", "cp"]]
