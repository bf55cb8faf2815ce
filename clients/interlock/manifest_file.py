"""Manifests as files: TOML, YAML or JSON, one or a folder of them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from interlock.manifest import Manifest, ManifestError, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

SUFFIXES: Final = (".toml", ".yaml", ".yml", ".json")


def read(paths: Iterable[str | Path]) -> Manifest:
    """Read files, and the files of folders with a known suffix, as one manifest.

    Raises:
        ManifestError: a file cannot be read or says what cannot be.
        OSError: a file or folder is not there.
    """
    manifest = Manifest()
    for path in paths:
        for file in _files(Path(path)):
            _read_file(manifest, file)
    return manifest


def _files(path: Path) -> Sequence[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES)
    if not found:
        raise ManifestError(f"{path}: expected files that end with {', '.join(SUFFIXES)}")
    return found


def _read_file(manifest: Manifest, file: Path) -> None:
    content = parse(file.read_text(encoding="utf-8"), file.suffix.lower(), str(file))
    for name, documents in content.items():
        kind = kind_of(name, str(file))
        if not isinstance(documents, list):
            raise ManifestError(f"{file}: expected a list of {name}, but got {documents!r}")
        for index, document in enumerate(documents):
            manifest.add(kind, document, f"{file}: {name}[{index}]")


def parse(text: str, suffix: str, place: str) -> dict[str, Any]:
    """The content of a file; the suffix says in which language it is."""
    reader = _READERS.get(suffix)
    if reader is None:
        raise ManifestError(f"{place}: expected a file that ends with {', '.join(SUFFIXES)}")
    try:
        content = reader(text)
    except ValueError as error:
        raise ManifestError(f"{place}: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ManifestError(f"{place}: expected lists by kind, such as definitions")
    return content


def _from_yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - only who has such files waits for it

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".yaml": _from_yaml,
    ".yml": _from_yaml,
}


def write(documents: Mapping[str, Sequence[Mapping[str, Any]]], language: str) -> str:
    """The text of a manifest in "toml", "yaml" or "json"."""
    content = {kind: list(items) for kind, items in documents.items() if items}
    if language == "json":
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    if language == "yaml":
        import yaml  # noqa: PLC0415 - only who has such files waits for it

        return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    import tomli_w  # noqa: PLC0415 - only who has such files waits for it

    return tomli_w.dumps(content)
