"""The documents that cross the seam keep their shape; crates/plan/tests/golden.rs is the twin."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import msgspec
import pytest

from isthmus.engine import caches, command, explain, lists, question, report, service, tls
from isthmus.plan import document

_FOLDER = Path(__file__).parents[2] / "golden"
_spec = importlib.util.spec_from_file_location("golden_documents", _FOLDER / "documents.py")
assert _spec is not None
assert _spec.loader is not None
documents = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(documents)

TYPES = {
    "plan": document.Plan,
    "loopback": document.Plan,
    "commands": list[command.Command],
    "list_requests": list[lists.ListRequest],
    "list_answers": list[lists.ListAnswer],
    "list_checks": list[lists.ListCheck],
    "snapshot": report.Snapshot,
    "sessions": list[report.SessionFacts],
    "caches": list[caches.CacheFacts],
    "events": list[report.Event],
    "tls_facts": tls.TlsFacts,
    "service_requests": list[service.ServiceRequest],
    "name_questions": list[question.NameQuestion],
    "service_heads": list[service.ServiceHead],
    "questions": list[explain.Question],
    "explained": list[explain.Explained],
    "apply": report.ApplyReport,
}


@pytest.mark.parametrize("name", documents.DOCUMENTS)
def test_the_golden_file_is_what_python_writes(name: str) -> None:
    assert documents.text(name) == (_FOLDER / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", documents.DOCUMENTS)
def test_python_reads_back_what_it_wrote(name: str) -> None:
    assert msgspec.json.decode(documents.text(name), type=TYPES[name]) == documents.DOCUMENTS[name]


def test_a_field_that_is_not_known_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"name":"a","path":"b","optional":false,"more":1}', type=document.Namespace)
