"""`serve` hands its words to whatever the entry point names."""

from __future__ import annotations

from importlib import metadata

import pytest


class FakeEntryPoint:
    def __init__(self, answer) -> None:
        self.seen: list[list[str]] = []
        self._answer = answer

    def load(self):
        def main(arguments):
            self.seen.append(arguments)
            return self._answer

        return main


@pytest.mark.parametrize(("answer", "code"), [(None, 0), (0, 0), (2, 2)])
def test_words_and_exit_code_are_passed_through(interlock, monkeypatch, answer, code):
    server = FakeEntryPoint(answer)
    monkeypatch.setattr(metadata, "entry_points", lambda **_: [server])

    ended = interlock("serve", "--listen", "127.0.0.1:0", "--help", "-x", "--", "y")

    assert server.seen == [["--listen", "127.0.0.1:0", "--help", "-x", "--", "y"]]
    assert ended.code == code


def test_without_a_server_it_says_what_to_install(interlock, monkeypatch):
    monkeypatch.setattr(metadata, "entry_points", lambda **_: [])

    ended = interlock("serve")

    assert ended.code == 1
    assert "pip install interlock" in ended.err
