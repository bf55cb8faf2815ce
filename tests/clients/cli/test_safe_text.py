"""Text from elsewhere cannot do anything to a terminal."""

from __future__ import annotations

import json

from interlock.cli.safe_text import in_json, lines, one_line

HOSTILE = "a\x1b[31mb\x07\u202ec\u0085d"


def test_what_a_terminal_obeys_is_shown_as_an_escape():
    assert one_line(HOSTILE) == "a\\x1b[31mb\\x07\\u202ec\\x85d"


def test_line_breaks_become_spaces_on_one_line():
    assert one_line("a\r\nb\tc") == "a  b c"


def test_line_breaks_stay_where_lines_are_wanted():
    assert lines("a\r\nb\x1b") == "a\nb\\x1b"


def test_escaped_json_is_the_same_json():
    document = json.dumps({"x": HOSTILE + "ü"}, ensure_ascii=False)

    escaped = in_json(document)

    assert json.loads(escaped) == {"x": HOSTILE + "ü"}
    assert "\u202e" not in escaped
    assert "\u0085" not in escaped
