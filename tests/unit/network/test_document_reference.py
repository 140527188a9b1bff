"""The JSON Schema and the reference are made of the reader's own tables, and agree with the reader."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from isthmus.config import Diagnostics
from isthmus.network.document import json_schema, read, reference
from isthmus.network.document.composing import compose
from isthmus.network.document.nodes import plain
from isthmus.network.document.report import Report

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "tests" / "configs" / "network"
ACCEPTED = sorted(CONFIGS.rglob("*.yaml"))


def value_of(file: Path) -> Any:
    node = compose(str(file), file.read_text(), Report())
    assert node is not None
    return plain(node)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(json_schema())


def test_the_schema_is_a_json_schema():
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("file", ACCEPTED, ids=lambda file: file.stem)
def test_the_schema_accepts_what_the_reader_accepts(file: Path, validator: Draft202012Validator):
    errors = [f"{each.json_path}: {each.message[:200]}" for each in validator.iter_errors(value_of(file))]
    assert errors == []


def mappings(value: Any, path: tuple[str | int, ...] = ()):
    """The paths of all mappings in a document whose keys are fixed."""
    if isinstance(value, dict):
        free = path[-1:] in [("networks",), ("namespaces",), ("services",), ("sysctl",), ("environment",)]
        if not free and "variables" not in path and "each" not in path:
            yield path
        for key, item in value.items():
            yield from mappings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from mappings(item, (*path, index))


@pytest.mark.parametrize("file", ACCEPTED, ids=lambda file: file.stem)
def test_the_schema_refuses_an_unknown_key_in_every_place(file: Path, validator: Draft202012Validator):
    whole = value_of(file)
    paths = list(mappings(whole))
    assert paths
    for path in paths:
        changed = copy.deepcopy(whole)
        inner = changed
        for step in path:
            inner = inner[step]
        inner["no-such-key"] = 1
        assert not validator.is_valid(changed), path


@pytest.mark.parametrize(
    "value",
    [
        {"links": [{}]},
        {"links": [{"dummy": {"name": "a"}, "vrf": {"name": "b", "table": 1}}]},
        {"links": [{"veth": [{"name": "a"}]}]},
        {"links": [{"dummy": {"name": "a", "mtu": 12}}]},
        {"links": [{"vlan": {"name": "a", "parent": "b", "id": 4095}}]},
        {"namespaces": {"a": {"lo": "sideways"}}},
        {"services": {"a": {}}},
        {"for": [{"namespaces": {}}]},
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(value: Any, validator: Draft202012Validator):
    assert not validator.is_valid(value)


def test_every_key_of_the_schema_is_described():
    def walk(schema: Any, path: str):
        for name, each in schema.get("properties", {}).items():
            assert each.get("description"), f"{path}.{name}"

    whole = json_schema()
    walk(whole, "")
    definitions = whole["$defs"]
    assert isinstance(definitions, dict)
    for title, each in definitions.items():
        walk(each, title)


def test_the_committed_reference_is_up_to_date():
    file = ROOT / "docs" / "network-file.md"
    assert file.read_text() == reference(), (
        "make it anew: python -m isthmus.network.document > docs/network-file.md"
    )


WORDS = [
    ("network: {}", ["web", "a-1", "7"], ["Web", "a_b", "'-a'"]),
    ("namespaces: {{red: {{hostname: {}}}}}", ["red.host", "a"], ["a_b", "'-a'"]),
    ("namespaces: {{red: {{routes: [{{to: {}, dev: lo}}]}}}}", ["default", "10.0.0.0/8", "'::/0'"], ["all"]),
    ("namespaces: {{red: {{rules: [{{priority: {}, table: 7}}]}}}}", ["5", "'5'", "0x10"], ["'-x'", "1.5"]),
    (
        "namespaces: {{red: {{nat: {{forward: [{{port: {}, to: 10.0.0.1}}]}}}}}}",
        ["80/tcp", "1-9/udp"],
        ["80"],
    ),
    (
        "namespaces: {{red: {{nat: {{forward: [{{port: 1/tcp, to: '{}'}}]}}}}}}",
        ["10.0.0.1", "10.0.0.1:80", "[fd00::1]:80", "fd00::1"],
        ["web:80", ":80"],
    ),
    ("networks: {{a: '{}'}}", ["10.0.0.0/8", "fd00::/8", "10.0.0.1"], ["office", "10.0.0.0/x"]),
    (
        "networks: {{a: 10.0.0.0/8}}\nnamespaces: {{red: {{nat: {{masquerade: {{from: {}}}}}}}}}",
        ["a", "[a, 10.0.0.0/8]"],
        ["'b c'", "[10.0.0.0 / 8]"],
    ),
    ("links: [{{dummy: {{name: {}}}}}]", ["eth0", "é'\"", "7"], ["'a b'", "a/b", "abcdefghijklmnop"]),
    ("links: [{{dummy: {{name: d, mtu: {}}}}}]", ["1500", "'1500'"], ["small", "1", "1e9"]),
    ("links: [{{dummy: {{name: d, mac: '{}'}}}}]", ["02:00:00:00:00:01"], ["01:00:00:00:00:01", "02-00"]),
    ("links: [{{dummy: {{name: d, addresses: '{}'}}}}]", ["10.0.0.1/8", "fd00::1/64"], ["10.0.0.1", "a/8"]),
    ("links: [{{dummy: {{name: d, shaping: {{rate: {}}}}}}}]", ["5mbit", "1.5gbit"], ["5", "5mb"]),
    ("links: [{{dummy: {{name: d, shaping: {{delay: {}}}}}}}]", ["5ms", "0", "1.5s"], ["5", "5d"]),
    ("links: [{{dummy: {{name: d, shaping: {{loss: {}}}}}}}]", ["1%", "0.5", "'1'"], ["1x"]),
    ("links: [{{dummy: {{name: d, shaping: {{rate: 1mbit, burst: {}}}}}}}]", ["5k", "1500"], ["5kb"]),
    ("services: {{a: {{command: x, user: {}}}}}", ["www-data", "1000"], ["'a b'"]),
    ("services: {{a: {{command: x, ready: {{tcp: '{}'}}}}}}", ["80", "10.0.0.1:80", "[::1]:80"], ["web"]),
    (
        "namespaces: {{red: }}\nexpect: ['{}']",
        [
            "red can ping 10.0.0.1 within 5ms",
            "red cannot  reach host:80/tcp",
            "red reaches host:80 as 10.0.0.1",
        ],
        ["red pings host", "red can see host", "red reaches host:80"],
    ),
]


@pytest.mark.parametrize(("text", "good", "bad"), WORDS, ids=[text.format("*") for text, _, _ in WORDS])
def test_the_schema_knows_the_shape_of_words(text, good, bad, tmp_path, validator):
    file = tmp_path / "words.yaml"
    for words, expected in ((good, True), (bad, False)):
        for word in words:
            file.write_text(text.format(word))
            assert (read(file, Diagnostics()) is not None) is expected, word
            assert validator.is_valid(value_of(file)) is expected, word
