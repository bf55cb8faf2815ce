"""Tables keep ids whole, wrap texts, and are safe to print."""

from __future__ import annotations

from interlock.cli.sheet import Cell, Column, Sheet, details, paint, status_cell

COLUMNS = (Column("JOB", right=True), Column("STATUS"), Column("WHY", wraps=True))


def test_off_a_terminal_each_row_is_one_line_without_colours():
    sheet = Sheet(COLUMNS, [("4711", status_cell("Error"), "word " * 100)])

    text = paint(sheet, colour=False, width=None)

    assert len(text.splitlines()) == 2
    assert "\x1b" not in text


def test_on_a_narrow_terminal_texts_wrap_and_nothing_is_cut():
    why = " ".join(f"word{number}" for number in range(30))
    sheet = Sheet(COLUMNS, [("18446744073709551615", status_cell("Error"), why)])

    text = paint(sheet, colour=False, width=60)

    assert "18446744073709551615" in text
    assert all(f"word{number}" in text for number in range(30))
    assert all(len(line) <= 60 for line in text.splitlines())


def test_a_word_longer_than_the_line_is_folded_not_cut():
    text = paint(Sheet(COLUMNS, [("1", "Error", "x" * 200)]), colour=False, width=50)

    assert text.count("x") == 200


def test_colours_are_written_when_asked_for():
    assert "\x1b[" in paint(
        Sheet(COLUMNS, [("1", status_cell("Error"), "")]), colour=True, width=80
    )


def test_text_from_elsewhere_cannot_colour_or_mark_up():
    sheet = Sheet(COLUMNS, [("1", "Error", "\x1b[2J[bold]x[/bold] :smile:")])

    text = paint(sheet, colour=False, width=None)

    assert "\\x1b[2J[bold]x[/bold] :smile:" in text


def test_details_leave_out_what_has_no_value():
    sheet = details([("job", "1"), ("robot", ""), ("fault", Cell(""))])

    assert [row[1] for row in sheet.rows] == ["1"]


def test_details_keep_line_breaks():
    text = paint(details([("detail", "line 1\nline 2")]), colour=False, width=None)

    assert text == "detail  line 1\n        line 2\n"
