"""Variables that section `global` sets: texts and samples mixed, and each after those before it."""

from __future__ import annotations

from .lab import Both, Lab

FORMATS = (
    *("v=%[var(proc.a)]/%[var(proc.s)]", "%[var(proc.a)]", "plain", "%%", "a%[int(3),add(4)]b", "%H%H"),
    *("%[var(proc.none)]x", "%[str(a b)] c", "%{+Q}[var(proc.s)] q", "%[var(proc.f0),length] long"),
)


def test_texts_and_samples_are_mixed_as_haproxy_does(both: Both) -> None:
    sets = "\n".join(f'  set-var-fmt proc.f{at} "{text}"' for at, text in enumerate(FORMATS))
    shown = "%[var(proc.sum)]|%[var(proc.pid),length,bool]|" + "|".join(
        f"%[var(proc.f{at})]" for at in range(len(FORMATS))
    )
    text = f"""
global
  set-var proc.a int(5)
  set-var proc.s str(x)
  set-var proc.sum var(proc.a),add(2)
{sets}
  set-var-fmt proc.pid "%pid!"
frontend f
  mode http
  bind 127.0.0.1:<front>
  http-request return status 200 content-type text/plain lf-string "{shown}"
"""

    def traffic(lab: Lab) -> bytes:
        return lab.ask(b"GET / HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")[2]

    seen = both(text, traffic, logged=False)
    assert seen.value.startswith(b"7|1|v=5/x|5|plain|%|a7b|")
