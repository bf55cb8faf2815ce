"""Manifests: read from files, compared with a server, applied, and exported again."""

from __future__ import annotations

import pytest

from interlock import Refused, connect
from interlock.manifest import ManifestError
from interlock.manifest_file import parse, read, write
from interlock_server.app import running
from interlock_server.config import Config

SITE = """
[[queues]]
name = "finance"
execution_size = 2

[[definitions]]
name = "report"
lifecycle = "redwood"
queue = "finance"
restart_behaviors = [{ status = "Error", action = "restart", delay = "5m" }]
"""
SITE_IN_YAML = """
queues:
  - name: finance
    execution_size: 2
definitions:
  - name: report
    lifecycle: redwood
    queue: finance
    restart_behaviors:
      - {status: Error, action: restart, delay: 300}
"""


@pytest.fixture
async def interlock(tmp_path):
    config = Config(listen=("127.0.0.1:0",), data_dir=str(tmp_path / "data"))
    async with running(config) as server, connect(server.addresses[0]) as interlock:
        yield interlock


def manifest(tmp_path, text=SITE, name="site.toml"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return read([file])


SERVERS = """
[[queues]]
name = "finance"

[[servers]]
name = "sap-1"
providers = [{ queue = "finance", execution_size = 2, hold_level = 80 }]
resources = ["sap"]

[[definitions]]
name = "report"
lifecycle = "redwood"
queue = "finance"
server = "sap-1"
"""


async def test_process_servers_are_applied_before_what_names_them(interlock, tmp_path):
    site = manifest(tmp_path, SERVERS)
    await interlock.apply(await interlock.compare(site))
    await interlock.stop_servers("sap-1")  # what people do is no part of a manifest

    assert {change.what for change in await interlock.compare(site)} == {"keep"}
    exported = (await interlock.export(["servers"]))["servers"]
    assert exported == [dict(site.documents["servers"]["sap-1"])]


def what(changes):
    return [(change.what, change.kind.name, change.name) for change in changes]


def test_toml_yaml_and_json_say_the_same(tmp_path):
    found = manifest(tmp_path).documents

    assert manifest(tmp_path, SITE_IN_YAML, "site.yaml").documents == found
    documents = {kind: list(items.values()) for kind, items in found.items()}
    for language in ("toml", "yaml", "json"):
        text = write(documents, language)
        assert manifest(tmp_path, text, f"again.{language}").documents == found


def test_a_folder_is_read_as_one_manifest(tmp_path):
    (tmp_path / "site" / "deep").mkdir(parents=True)
    (tmp_path / "site" / "queues.toml").write_text('[[queues]]\nname = "a"\n')
    (tmp_path / "site" / "deep" / "more.yml").write_text("queues: [{name: b}]\n")
    (tmp_path / "site" / "notes.txt").write_text("not read")

    assert set(read([tmp_path / "site"]).documents["queues"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = [", "site.toml: "),
        ("[[queue]]\nname = 'a'", "expected lists of .*queues"),
        ("queues = 3", "expected a list of queues, but got 3"),
        ("[[queues]]\nsize = 3", "expected a table with a name"),
        ("[[queues]]\nname = 'a'\nsize = 3", r"queues\[0\]: a: there is no field 'size'"),
        ("[[queues]]\nname = 'a'\n[[queues]]\nname = 'a'", "queues 'a' stands in .* already"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_place(tmp_path, text, sentence):
    with pytest.raises(ManifestError, match=sentence):
        manifest(tmp_path, text)


def test_a_file_in_another_language_is_refused():
    with pytest.raises(ManifestError, match=r"expected a file that ends with \.toml"):
        parse("", ".ini", "site.ini")


async def test_applying_a_manifest_twice_changes_nothing_the_second_time(interlock, tmp_path):
    wanted = manifest(tmp_path)

    changes = await interlock.compare(wanted)
    assert what(changes) == [
        ("create", "queues", "finance"),
        ("create", "definitions", "report"),
    ]
    await interlock.apply(changes)

    again = await interlock.compare(wanted)
    assert {change.what for change in again} == {"keep"}
    await interlock.apply(again)
    (report,) = await interlock.list_definitions()
    assert report.raw.version == 1


WHOLE_SITE = """
[[windows]]
name = "nights"
time_zone = "Europe/Berlin"

[[windows.elements]]
restrictions = [{ rule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", opens = "22:00", closes = "05:00" }]

[[events]]
name = "bank-file"

[[locks]]
name = "ledger"
kind = "counted"
counts = 3

[[queues]]
name = "finance"
execution_size = 2

[[servers]]
name = "sap"
resources = ["sap"]
providers = [{ queue = "finance", hold_level = 80 }]

[[definitions]]
name = "load"
lifecycle = "redwood"
queue = "finance"
server = "sap"
wait_events = [{ event = "bank-file", clears = true }]
window = "nights"
overdue_policy = "held"
locks = [{ lock = "ledger", counts = 2 }]
runtime_limits = [{ kind = "maximum", duration = "2h", effect = "error" }]

[[definitions]]
name = "night"
lifecycle = "redwood"

[definitions.chain]
request_restart = true
steps = [
  { name = "load", calls = [{ name = "a", definition = "load", parameters = { bank = 7 } }] },
]

[[schedules]]
name = "every-night"
definition = "night"
recurrence = { cron = "0 22 * * 1-5", time_zone = "Europe/Berlin" }
parameters = { month = "2026-11" }
"""


@pytest.mark.parametrize("language", ["toml", "yaml", "json"])
async def test_what_was_exported_can_be_applied_and_is_the_same(interlock, tmp_path, language):
    whole = manifest(tmp_path, WHOLE_SITE)
    await interlock.apply(await interlock.compare(whole))

    text = write(await interlock.export(), language)

    exported = manifest(tmp_path, text, f"exported.{language}")
    assert exported.documents == whole.documents
    assert {change.what for change in await interlock.compare(exported, prune=True)} == {"keep"}


async def test_a_change_says_which_fields_differ(interlock, tmp_path):
    await interlock.apply(await interlock.compare(manifest(tmp_path)))

    changed = manifest(tmp_path, SITE.replace("execution_size = 2", "execution_size = 3"))
    queue, report = await interlock.compare(changed)

    assert list(queue.lines()) == [("-", "execution_size: 2"), ("+", "execution_size: 3")]
    assert report.what == "keep"


async def test_pruning_deletes_what_the_manifest_lacks_and_nothing_that_is_built_in(
    interlock, tmp_path
):
    await interlock.apply(await interlock.compare(manifest(tmp_path)))
    fewer = manifest(
        tmp_path, '[[queues]]\nname = "other"\n[[definitions]]\nname="x"\nlifecycle="uipath"'
    )

    changes = await interlock.compare(fewer, prune=True)

    assert what(changes) == [
        ("create", "queues", "other"),
        ("create", "definitions", "x"),
        ("delete", "definitions", "report"),
        ("delete", "queues", "finance"),
    ]
    await interlock.apply(changes)
    assert {queue.name for queue in await interlock.list_queues()} == {"default", "System", "other"}


async def test_a_refusal_of_the_server_names_the_object(interlock, tmp_path):
    wanted = manifest(tmp_path, '[[definitions]]\nname="x"\nlifecycle="redwood"\nqueue="nowhere"')

    with pytest.raises(Refused, match="there is no queue 'nowhere'"):
        await interlock.apply(await interlock.compare(wanted))
