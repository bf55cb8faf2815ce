"""The program as a whole: help, mistakes, exit codes, start-up, and what a shell sees."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from interlock.cli.program import PROGRAM, SECTIONS

COMMANDS = [name for places in SECTIONS.values() for name in places]
VERBS_OF_NOUNS = [
    ("queue", ("list", "put", "hold", "release", "delete")),
    ("definition", ("list", "put", "delete")),
    ("robot", ("list", "maintenance", "delete")),
    ("lifecycle", ("list", "show")),
    ("config", ("show",)),
]


def start(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "interlock", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], **environ},
    )


def test_help_names_every_command_and_every_exit_code(interlock):
    ended = interlock("--help")

    assert ended.code == 0
    assert all(f"  {name} " in ended.out for name in COMMANDS)
    assert all(f"\n    {code} " in ended.out for code in (0, 1, 2, 3, 4, 5, 130))


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "serve"])
def test_every_command_explains_itself(interlock, command):
    ended = interlock(command, "--help")

    assert ended.code == 0
    assert "\\b" not in ended.out
    assert "\b" not in ended.out


@pytest.mark.parametrize(
    ("noun", "verb"), [(noun, verb) for noun, verbs in VERBS_OF_NOUNS for verb in verbs]
)
def test_every_verb_of_a_noun_explains_itself(interlock, noun, verb):
    ended = interlock(noun, verb, "--help")

    assert ended.code == 0
    assert "--address" in ended.out


def test_a_mistyped_command_is_answered_with_the_near_ones(interlock):
    ended = interlock("histroy", "1")

    assert ended.code == 2
    assert "there is no 'histroy'. Did you mean history?" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--output", "xml"),
        ("list", "--timeout", "soon"),
        ("list", "--config", "gone.toml"),
        ("list", "extra"),
        ("get",),
        ("hold",),
        ("--nonsense",),
        ("queue", "frobnicate"),
    ],
)
def test_a_wrong_command_line_exits_with_2_and_says_where_help_is(interlock, arguments):
    ended = interlock(*arguments)

    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("interlock: ")


def test_ctrl_c_exits_with_130_and_no_traceback(interlock):
    ended = interlock("get", "1", get=KeyboardInterrupt())

    assert ended.code == 130
    assert "Traceback" not in ended.err


def test_a_closed_output_is_no_error_to_speak_of(interlock):
    ended = interlock("get", "1", get=BrokenPipeError(errno.EPIPE, "gone"))

    assert (ended.code, ended.err) == (141, "")


def test_the_version_is_the_packages():
    from importlib.metadata import version

    ended = start("--version")

    assert ended.stdout == f"interlock {version('interlock')}\n"


@pytest.mark.slow
def test_a_reader_that_goes_away_leaves_no_noise():
    command = f"{sys.executable} -m interlock lifecycle show redwood -o jsonl | head -n 1"

    ended = subprocess.run(
        ["bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.stderr == ""
    assert ended.stdout.count("\n") == 2


def test_help_loads_nothing_that_is_slow_to_load():
    program = (
        "import sys\n"
        "from interlock.cli.program import run\n"
        "run(['--help'])\n"
        "slow = {'grpc', 'google.protobuf', 'rich', 'asyncio', 'importlib.metadata'}\n"
        "print('loaded:', sorted(slow & set(sys.modules)))\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60
    )

    assert ended.stdout.splitlines()[-1] == "loaded: []"


def test_an_output_that_cannot_show_a_character_shows_an_escape():
    # Latin-1, because an ASCII terminal is taken for a wrong setting and gets UTF-8
    ended = start("list", "-s", "Жdun", PYTHONIOENCODING="latin-1")

    assert ended.returncode == 2
    assert "got '\\u0416dun'" in ended.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(interlock, shell):
    ended = interlock("completion", shell)

    assert ended.code == 0
    assert f"_INTERLOCK_COMPLETE={shell}_complete" in ended.out


def test_a_shell_completes_commands_and_statuses():
    commands = start(_INTERLOCK_COMPLETE="bash_complete", COMP_WORDS="interlock re", COMP_CWORD="1")
    statuses = start(
        _INTERLOCK_COMPLETE="bash_complete", COMP_WORDS="interlock list -s que", COMP_CWORD="3"
    )

    assert "plain,release" in commands.stdout
    assert statuses.stdout.split() == ["plain,QueueHeld", "plain,Queued"]


def test_commands_are_listed_once():
    assert len(COMMANDS) == len(set(COMMANDS))
    assert PROGRAM.name == "interlock"
