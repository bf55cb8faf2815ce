"""Writes the lifecycle pages and the table of settings; `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from interlock_server.config import Config
from interlock_server.config.setting import SETTINGS
from interlock_server.core.vocabulary.lifecycle import LIFECYCLES, describe, mermaid

FOLDER = Path(__file__).parent
OPERATIONS = FOLDER / "operations.md"
SETTINGS_MARK = "<!-- settings: written by docs/generate.py -->\n"


def page(name: str) -> str:
    """The page of one lifecycle: statuses, diagram, transitions."""
    described = describe(name)
    lines = [
        f"# Lifecycle `{name}`",
        "",
        "Made from the tables in `server/interlock_server/core/vocabulary`",
        "by `make docs-pages`.",
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


def operations() -> str:
    """The page for operators, with the table of settings at its end."""
    written, mark, _ = OPERATIONS.read_text(encoding="utf-8").partition(SETTINGS_MARK)
    defaults = Config()
    lines = ["", "| Flag | Environment | Default | What it is |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = setting.written(getattr(defaults, setting.field))
        if setting.field == "data_dir":  # depends on who starts the server
            default = "$XDG_STATE_HOME/interlock"
        lines.append(f"| `{setting.flag}` | `{setting.env}` | {default} | {setting.about} |")
    return written + mark + "\n".join(lines) + "\n"


def main() -> int:
    """Write or check every page; 1 if one is not current."""
    pages = {FOLDER / f"lifecycle-{name}.md": page(name) for name in LIFECYCLES}
    pages[OPERATIONS] = operations()
    stale = []
    for path, text in pages.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.stderr.write(f"not current: {', '.join(stale)}; run `make docs-pages`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
