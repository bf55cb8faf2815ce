"""Settings: where a value comes from, and what is said about a wrong one."""

from __future__ import annotations

import pytest

from interlock_server.config import Config, ConfigError, load
from interlock_server.config.setting import SETTINGS
from interlock_server.config.value import parse_seconds

HOME = {"HOME": "/nobody"}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[server]\nheartbeat = "5s"\ngrace = 3\nlisten = ["127.0.0.1:1", "unix:/x"]\n')
    return path


def test_without_a_word_the_defaults_hold():
    config, origins = load([], HOME)

    assert config == Config(data_dir="/nobody/.local/state/interlock")
    assert set(origins.values()) == {"default"}


def test_a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default(file):
    argv = ["--config", str(file), "--log-level", "debug"]
    env = HOME | {"INTERLOCK_GRACE": "2s", "INTERLOCK_LOG_LEVEL": "error"}

    config, origins = load(argv, env)

    assert (config.log_level, origins["log_level"]) == ("debug", "flag")
    assert (config.grace_s, origins["grace_s"]) == (2.0, "env INTERLOCK_GRACE")
    assert (config.heartbeat_s, origins["heartbeat_s"]) == (5.0, f"file {file}")
    assert (config.inbox_max, origins["inbox_max"]) == (20_000, "default")


def test_addresses_may_be_repeated(file):
    assert load(["--listen", "127.0.0.1:1", "--listen", "unix:/x"], HOME).config.listen == (
        load(["--config", str(file)], HOME).config.listen
    )
    assert load([], HOME | {"INTERLOCK_LISTEN": "127.0.0.1:1, unix:/x"}).config.listen == (
        "127.0.0.1:1",
        "unix:/x",
    )


def test_the_data_is_kept_where_the_environment_says():
    assert load([], HOME | {"XDG_STATE_HOME": "/state"}).config.data_dir == "/state/interlock"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), ("5m", 300), ("24h", 86_400), ("1h30m", 5_400), ("200ms", 0.2)],
)
def test_lengths_of_time_have_units(text, seconds):
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "0", "-1s", "5 parsecs", "1e9"])
def test_anything_else_is_no_length_of_time(text):
    with pytest.raises(ValueError, match="expected"):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--listen", "nowhere"], "--listen: expected HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "--listen: expected HOST:PORT"),
        (["--listen", "unix:"], "--listen: expected a path"),
        (["--durability", "maybe"], "--durability: expected full, normal, off"),
        (["--inbox-max", "0"], "--inbox-max: expected a whole number of at least 1"),
        (["--watch-retention-bytes", "lots"], "--watch-retention-bytes: expected a size"),
        (["--data-dir", " "], "--data-dir: expected a text"),
        (["--session-ttl", "10s"], "expected --session-ttl of at least 120s"),
        (["--listen", "0.0.0.0:7350"], "or add --insecure if the network is trusted"),
        (["--nothing"], "unrecognized arguments: --nothing"),
        (["--config", "/nobody/x.toml"], "expected a configuration file at /nobody/x.toml"),
    ],
)
def test_a_wrong_setting_says_what_was_expected(argv, sentence):
    with pytest.raises(ConfigError) as wrong:
        load(argv, HOME)

    assert sentence in str(wrong.value)


def test_a_wrong_value_in_the_environment_names_the_variable():
    with pytest.raises(ConfigError, match=r"grace \(env INTERLOCK_GRACE\): expected a length"):
        load([], HOME | {"INTERLOCK_GRACE": "soon"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[server]\nheartbeet = 5\n", "but found heartbeet"),
        ("[server\n", "expected TOML"),
        ("server = 5\n", "to be a table"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, sentence):
    path = tmp_path / "config.toml"
    path.write_text(text)

    with pytest.raises(ConfigError) as wrong:
        load(["--config", str(path)], HOME)

    assert sentence in str(wrong.value)
    assert str(path) in str(wrong.value)


def test_other_machines_are_served_when_that_is_wished():
    config = load(["--listen", "0.0.0.0:7350", "--insecure"], HOME).config

    assert config.insecure
    assert not config.reflects


def test_reflection_is_for_this_machine_unless_it_is_asked_for():
    assert load([], HOME).config.reflects
    assert not load(["--no-reflection"], HOME).config.reflects
    assert load(["--listen", "0.0.0.0:1", "--insecure", "--reflection", "on"], HOME).config.reflects


def test_help_tells_of_every_setting(capsys):
    with pytest.raises(SystemExit):
        load(["--help"], HOME)

    told = capsys.readouterr().out
    assert [each.flag for each in SETTINGS if each.flag not in told] == []
    assert [each.env for each in SETTINGS if each.env not in told] == []


def test_restart_defaults_name_each_status_once():
    config, _ = load(["--restart-default", "Error=request_restart Killed=stop"], HOME)

    assert config.restart_default == ("Error=request_restart", "Killed=stop")
    for wrong in ("Error", "Held=stop", "Error=again", "Error=stop Error=restart"):
        with pytest.raises(ConfigError, match="expected"):
            load(["--restart-default", wrong], HOME)


def test_what_is_deleted_is_off_unless_it_is_asked_for():
    config, _ = load(["--keep-count", "100", "--keep-age", "30d"], HOME)
    off, _ = load(["--keep-count", "off", "--keep-age", "0"], HOME)

    assert (config.keep_count, config.keep_age_hours) == (100, 720.0)
    assert (off.keep_count, off.keep_age_hours) == (0, 0)
