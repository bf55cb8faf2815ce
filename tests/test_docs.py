"""Pages made from the tables are current, and links between pages lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.support.sources import REPOSITORY

LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


def test_the_lifecycle_pages_are_what_the_tables_say() -> None:
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "docs/generate.py"), "--check"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr


def test_every_link_between_pages_leads_to_a_file() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in (*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"))
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []
