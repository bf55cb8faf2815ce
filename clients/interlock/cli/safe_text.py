"""Text that came from elsewhere, made safe to print.

Faults, reasons and messages are written by robots and other people. What would move the cursor,
change colours or turn the writing direction of a terminal is shown as an escape instead.
"""

from __future__ import annotations

from typing import Final

#: The last character of one byte, and the first that JSON does not escape itself.
_BYTE_MAX: Final = 0xFF
_DELETE: Final = 0x7F
_CONTROLS: Final = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *(0x200E, 0x200F, 0x2028, 0x2029),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_VISIBLE: Final = {
    code: f"\\x{code:02x}" if code <= _BYTE_MAX else f"\\u{code:04x}" for code in _CONTROLS
}
_LINE: Final = {**_VISIBLE, 0x09: " ", 0x0A: " ", 0x0D: " "}
_LINES: Final = {**_VISIBLE, 0x09: "    ", 0x0A: "\n", 0x0D: ""}
_IN_JSON: Final = {code: f"\\u{code:04x}" for code in _CONTROLS if code >= _DELETE}


def one_line(text: str) -> str:
    """Return the text on one line, with nothing in it that a terminal obeys."""
    return text.translate(_LINE)


def lines(text: str) -> str:
    """Return the text with its line breaks, and nothing else in it that a terminal obeys."""
    return text.translate(_LINES)


def in_json(document: str) -> str:
    """Return the JSON document, with what a terminal would obey written as JSON escapes."""
    return document.translate(_IN_JSON)
