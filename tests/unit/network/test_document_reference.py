"""The JSON Schema and the reference are made of the reader's own tables, and agree with the reader."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from isthmus.network.document import json_schema, reference
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
