"""Writes the pages of the two lifecycles from the tables; `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from interlock_server.core.vocabulary.lifecycle import LIFECYCLES, describe, mermaid

FOLDER = Path(__file__).parent


def page(name: str) -> str:
    """The page of one lifecycle: statuses, diagram, transitions."""
    described = describe(name)
    lines = [
        f"# Lifecycle `{name}`",
        "",
        "Made from the tables in `server/interlock_server/core/vocabulary`",
        "by `make docs-lifecycles`.",
        f"The same as JSON: `interlock lifecycle show {name} --output json`.",
        "",
        "| Status | Code | State | Final |",
        "|---|---|---|---|",
    ]
    for status in described["statuses"]:
        final = "yes" if status["final"] else ""
        lines.append(f"| {status['name']} | {status['code']} | {status['state']} | {final} |")
    lines += ["", "```mermaid", mermaid(name).rstrip(), "```", ""]
    lines += ["| Row | From | Trigger | To | Actors |", "|---|---|---|---|---|"]
    for row in described["transitions"]:
        actors = ", ".join(row["actors"])
        source = row["from"] or "(new)"
        lines.append(f"| {row['id']} | {source} | {row['trigger']} | {row['to']} | {actors} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check every page; 1 if one is not current."""
    stale = []
    for name in LIFECYCLES:
        path = FOLDER / f"lifecycle-{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != page(name):
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(page(name), encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.stderr.write(f"not current: {', '.join(stale)}; run `make docs-lifecycles`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
