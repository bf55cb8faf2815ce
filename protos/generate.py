"""Write clients/interlock/v1 from the protos beside this file; with --check, only compare.

Run it as `make gen` or `make gen-check`, which make the environment it needs: the lowest
grpcio-tools whose output we promise to run, because generated code refuses every older runtime.
Everything is made in a scratch folder first, so a proto that does not compile changes nothing.
The output says in SOURCES.sha256 which sources and which generated files belong together, so that a
test can tell stale or edited code without any generator.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = Path("interlock/v1")
#: Lines as sha256sum prints them; `sha256sum -c` at the root of the repository reads it.
MANIFEST = "SOURCES.sha256"
SERVICE = re.compile(r"^service\s+\w+", re.MULTILINE)
INIT = '''"""Generated messages and stubs of the API, one module for each proto. Never edited.

Made from protos/interlock/v1 by `make gen`.
"""
'''


class GenerationError(Exception):
    """The generated code could not be made, or is not what the protos say."""


def find_sources(protos: Path) -> list[Path]:
    """Return the protos of the package, in a fixed order, relative to `protos`."""
    sources = sorted(path.relative_to(protos) for path in (protos / PACKAGE).glob("*.proto"))
    if not sources:
        raise GenerationError(f"expected *.proto in {protos / PACKAGE}, but there is none")
    return sources


def third_party_include() -> Path:
    """Return the folder that google/rpc/*.proto are in: where googleapis-common-protos is."""
    spec = importlib.util.find_spec("google.rpc")
    if (
        spec is None
        or not spec.submodule_search_locations
        or importlib.util.find_spec("grpc_tools") is None
    ):
        raise GenerationError(
            "expected grpcio-tools and googleapis-common-protos in this Python, "
            "but they are not installed; run `make gen`"
        )
    return Path(next(iter(spec.submodule_search_locations))).parent.parent


def run_protoc(protos: Path, sources: list[Path], out: Path) -> None:
    """Run protoc and mypy-protobuf over all sources at once."""
    plugins = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": plugins + os.pathsep + os.environ.get("PATH", "")}
    arguments = [
        f"--proto_path={protos}",
        f"--proto_path={third_party_include()}",
        f"--python_out={out}",
        f"--grpc_python_out={out}",
        f"--mypy_out=quiet:{out}",
        f"--mypy_grpc_out=quiet:{out}",
        *(source.as_posix() for source in sources),
    ]
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "grpc_tools.protoc", *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if finished.returncode != 0:
        raise GenerationError(f"protoc refused the protos:\n{finished.stderr.strip()}")


def make_package(protos: Path, out: Path) -> None:
    """Make the whole package, as it has to be installed, under the empty folder `out`."""
    sources = find_sources(protos)
    run_protoc(protos, sources, out)
    package = out / PACKAGE
    for source in sources:
        if not SERVICE.search((protos / source).read_text(encoding="utf-8")):
            for suffix in (".py", ".pyi"):
                (package / f"{source.stem}_pb2_grpc{suffix}").unlink(missing_ok=True)
    (package / "__init__.py").write_text(INIT, encoding="utf-8")
    (package / MANIFEST).write_text(make_manifest(protos, sources, package), encoding="utf-8")


def make_manifest(protos: Path, sources: list[Path], package: Path) -> str:
    """Return one line for each source and each generated file: its digest and its path."""
    named = [(f"protos/{source.as_posix()}", protos / source) for source in sources]
    named += [
        (f"clients/{PACKAGE.as_posix()}/{path.name}", path) for path in sorted(package.iterdir())
    ]
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in named]
    return "".join(lines)


def read_package(package: Path) -> dict[str, bytes]:
    """Return the files of a package by name; caches of the interpreter are not part of it."""
    if not package.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in package.iterdir() if path.is_file()}


def describe_differences(installed: dict[str, bytes], wanted: dict[str, bytes]) -> list[str]:
    """Return one line for each file that is missing, different or left over."""
    lines = [f"missing: {name}" for name in sorted(wanted.keys() - installed.keys())]
    lines += [f"left over: {name}" for name in sorted(installed.keys() - wanted.keys())]
    shared = sorted(wanted.keys() & installed.keys())
    lines += [f"different: {name}" for name in shared if installed[name] != wanted[name]]
    return lines


def install(package: Path, wanted: dict[str, bytes]) -> None:
    """Make `package` hold exactly the wanted files, and its parent a typed package."""
    package.mkdir(parents=True, exist_ok=True)
    for name in read_package(package).keys() - wanted.keys():
        (package / name).unlink()
    for name, content in wanted.items():
        if not (package / name).exists() or (package / name).read_bytes() != content:
            (package / name).write_bytes(content)
    (package.parent / "py.typed").touch()


def main() -> int:
    """Generate or check; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare and write nothing")
    parser.add_argument("--protos", type=Path, default=REPOSITORY / "protos", metavar="DIR")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "clients", metavar="DIR")
    arguments = parser.parse_args()
    package = arguments.out / PACKAGE
    try:
        with tempfile.TemporaryDirectory() as scratch:
            make_package(arguments.protos.resolve(), Path(scratch))
            wanted = read_package(Path(scratch) / PACKAGE)
    except GenerationError as error:
        print(error, file=sys.stderr)
        return 1
    differences = describe_differences(read_package(package), wanted)
    if arguments.check:
        if not (package.parent / "py.typed").exists():
            differences.append("missing: ../py.typed")
        if differences:
            print(f"{PACKAGE} is not what protos/ says; run `make gen`", file=sys.stderr)
            print("\n".join(f"  {line}" for line in differences), file=sys.stderr)
        return 1 if differences else 0
    install(package, wanted)
    print(f"{len(wanted)} files in {PACKAGE}, {len(differences)} of them changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
