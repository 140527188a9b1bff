"""What is done about an authority that refuses nonces."""

from __future__ import annotations

import pytest

pytest.importorskip("acme", reason="the package acme is not installed")

from acme import messages

from isthmus.acme import asking
from isthmus.acme.asking import Answering, AskingError, Issued, Order, ask
from isthmus.model.acme import Authority

ISSUED = Issued(b"chain", b"key")
ORDER = Order(Authority("a", "https://a.test/dir", "a.key"), ("a.test",), None, True)
ANSWERING = Answering(lambda *_: None, lambda *_: None)


def refusing(monkeypatch: pytest.MonkeyPatch, code: str, times: int) -> list[Order]:
    """Lets the authority refuse so often; returns the orders that it was asked for."""
    asked: list[Order] = []

    def answer(order: Order, _: Answering) -> Issued:
        asked.append(order)
        if len(asked) <= times:
            raise messages.Error.with_code(code, detail="no")
        return ISSUED

    monkeypatch.setattr(asking, "_ask", answer)
    return asked


def test_an_order_whose_nonces_are_refused_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refusing(monkeypatch, "badNonce", 2)
    assert ask(ORDER, ANSWERING) == ISSUED
    assert asked == [ORDER] * 3


def test_an_authority_that_refuses_every_nonce_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refusing(monkeypatch, "badNonce", 1000)
    with pytest.raises(AskingError, match="none of the nonces"):
        ask(ORDER, ANSWERING)
    assert len(asked) <= 10


def test_another_refusal_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refusing(monkeypatch, "rateLimited", 1)
    with pytest.raises(AskingError, match="rateLimited: no"):
        ask(ORDER, ANSWERING)
    assert len(asked) == 1
