"""Every check and test, each in an environment of its own: `nox -l` lists them."""

from __future__ import annotations

import sys

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True
nox.options.stop_on_first_error = False

PACKAGES = ["backend", "plugins", "protos/generate.py"]

# One copy of the generated code and of the client runs on all of these.
PROTOBUFS = ["3.20.3", "4.25.8", "5.29.5", "6.33.0", "7.35.0"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    _install_group(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Static types, strictly."""
    _install_group(session, "lint")
    session.install("-e", ".[metrics]")
    session.run("mypy", *(session.posargs or PACKAGES))


@nox.session
def protos(session: nox.Session) -> None:
    """The generated code is what protoc makes of the .proto files (-- --write makes it anew)."""
    if sys.version_info >= (3, 12):
        session.error("needs Python 3.10 or 3.11: there is no older protoc for newer ones")
    session.install("grpcio-tools==1.51.1", "protobuf>=4.21,<5", "setuptools<70")
    write = "--write" in session.posargs
    session.run("python", "protos/generate.py", *([] if write else ["--check"]))


@nox.session
def unit(session: nox.Session) -> None:
    """Tests of single parts."""
    _install_project(session)
    session.run("pytest", "tests/unit", *session.posargs)


@nox.session
@nox.parametrize("version", PROTOBUFS)
def protobuf(session: nox.Session, version: str) -> None:
    """The wire between client and service on old and new protobuf."""
    _install_project(session, f"protobuf=={version}")
    session.run("pytest", "tests/integration/test_wire.py", "-q", *session.posargs)


@nox.session
def integration(session: nox.Session) -> None:
    """The service as a process, its clients, and the real runtimes behind it."""
    _install_project(session)
    session.run("pytest", "tests/integration", *session.posargs)


@nox.session
def editors(session: nox.Session) -> None:
    """The plugins in the real GIMP 3 and the real Krita 5."""
    _install_project(session)
    session.run("pytest", "tests/editors", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Figures, as ratios in one run: `nox -s bench -- transport --help`."""
    _install_project(session)
    session.install("--group", "bench")
    name, *arguments = session.posargs or ["transport"]
    session.run("python", "-m", f"tests.bench.{name}", *arguments)


def _install_project(session: nox.Session, *constraints: str) -> None:
    session.install("-e", ".", "--group", "test", *constraints)


def _install_group(session: nox.Session, name: str) -> None:
    session.install("--group", name)
