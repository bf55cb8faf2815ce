"""`config show` says what every setting is and who said so."""

from __future__ import annotations

import json


def test_each_value_has_its_origin(interlock, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('[client]\npartition = "night"\n', encoding="utf-8")

    ended = interlock(
        *("config", "show", "--json", "--timeout", "1m", "--config", str(file)),
        environ={"INTERLOCK_ADDRESS": "example:1"},
    )

    assert json.loads(ended.out) == {
        "address": {"value": "example:1", "origin": "env INTERLOCK_ADDRESS"},
        "partition": {"value": "night", "origin": f"file {file}"},
        "user": {"value": "olga", "origin": "default (login name)"},
        "timeout": {"value": 60.0, "origin": "flag"},
        "output": {"value": "json", "origin": "flag"},
        "color": {"value": "auto", "origin": "default"},
    }


def test_the_table_names_the_environment_variable(interlock):
    ended = interlock("config", "show")

    assert "INTERLOCK_ADDRESS" in ended.out
    assert "no configuration file" in ended.err
