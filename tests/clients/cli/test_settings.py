"""A setting is a flag, else an environment variable, else in the file, else the default."""

from __future__ import annotations

import click
import pytest

from interlock.cli.settings import load


def write(folder, text):
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_flag_wins_over_all(tmp_path):
    file = write(tmp_path, '[client]\naddress = "file:1"\n')
    environ = {"INTERLOCK_ADDRESS": "env:1", "INTERLOCK_CONFIG": str(file)}

    value = load({"address": "flag:1"}, environ).values["address"]

    assert value == ("flag:1", "flag")


def test_the_environment_wins_over_the_file(tmp_path):
    file = write(tmp_path, '[client]\naddress = "file:1"\n')
    environ = {"INTERLOCK_ADDRESS": "env:1", "INTERLOCK_CONFIG": str(file)}

    assert load({}, environ).values["address"] == ("env:1", "env INTERLOCK_ADDRESS")


def test_the_file_wins_over_the_default(tmp_path):
    file = write(tmp_path, '[server]\nx = 1\n[client]\naddress = "file:1"\ntimeout = "3s"\n')

    settings = load({"config": str(file)}, {})

    assert settings.values["address"] == ("file:1", f"file {file}")
    assert settings["timeout"] == 3.0
    assert settings.values["partition"] == ("default", "default")


def test_a_file_in_its_place_is_found(tmp_path):
    folder = tmp_path / "interlock"
    folder.mkdir()
    write(folder, '[client]\npartition = "night"\n')

    assert load({}, {"XDG_CONFIG_HOME": str(tmp_path)})["partition"] == "night"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[client", "expected TOML"),
        ('client = "x"', "to be a table"),
        ('[client]\nadress = "x:1"', "but found adress"),
        ('[client]\noutput = "xml"', "expected table, json, jsonl, but got 'xml'"),
        ('[client]\ntimeout = "0"', "more than 0 seconds"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(tmp_path, text, sentence):
    file = write(tmp_path, text)

    with pytest.raises(click.UsageError, match=sentence) as refused:
        load({"config": str(file)}, {})

    assert str(file) in str(refused.value)


def test_a_file_that_was_named_has_to_exist(tmp_path):
    with pytest.raises(click.UsageError, match="from env INTERLOCK_CONFIG"):
        load({}, {"INTERLOCK_CONFIG": str(tmp_path / "gone.toml")})


def test_a_wrong_environment_is_refused_by_its_name():
    with pytest.raises(click.UsageError, match=r"env INTERLOCK_TIMEOUT.*expected a length"):
        load({}, {"INTERLOCK_TIMEOUT": "soon"})


def test_no_color_switches_colours_off_unless_a_flag_says_otherwise():
    assert load({}, {"NO_COLOR": "1"})["color"] == "never"
    assert load({"color": "always"}, {"NO_COLOR": "1"})["color"] == "always"
    assert load({}, {"NO_COLOR": ""})["color"] == "auto"
