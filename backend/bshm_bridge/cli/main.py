"""Entry point of the ``bshm`` command: finds the subcommand and imports that one alone."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from bshm_bridge import __version__

# Subcommand, and what `bshm --help` says of it. The module has the subcommand's name.
COMMANDS = {
    "matte": "remove the background of pictures: alpha.png and rgba.png",
    "serve": "run the service that editors and this command share",
    "status": "show the running service, its models and its queue",
    "release": "unload models and give their GPU memory back",
    "engines": "install or adopt the runtimes that networks need",
    "stop": "finish the running jobs and end the service",
    "models": "list, download, add, check and remove matting models",
    "doctor": "find what is wrong here and how to mend it",
    "plugins": "install the plugins into the editors on this machine",
}

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BAD_INPUT = 3
EXIT_UNAVAILABLE = 4
EXIT_INTERRUPTED = 130


def entry() -> None:
    """Run the command of this process and exit with its code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # old code pages lack “ and ×
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has left: what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    sys.exit(code)


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="bshm",
        description="Background removal for GIMP, Krita and the command line.",
        epilog="`bshm COMMAND --help` explains a command.",
    )
    parser.add_argument("--version", action="version", version=f"bshm-bridge {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    modules: dict[str, ModuleType] = {}
    wanted = next((word for word in arguments if not word.startswith("-")), "")
    for name, summary in COMMANDS.items():
        subparser = subparsers.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:]
        )
        if name == wanted:
            modules[name] = importlib.import_module(f"bshm_bridge.cli.{name}")
            modules[name].add_arguments(subparser)
    parsed = parser.parse_args(arguments)
    try:
        return int(modules[parsed.command].run(parsed))
    except KeyboardInterrupt:
        print("bshm: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        return _report(error)


def _report(error: Exception) -> int:
    """Say in one sentence what went wrong; bugs keep their traceback."""
    from bridge_client import errors as client
    from bshm_bridge import errors as own

    codes: list[tuple[tuple[type[Exception], ...], int]] = [
        ((client.BadRequest, own.InvalidInput), EXIT_BAD_INPUT),
        (
            (
                client.ServiceMissing,
                client.ServiceLost,
                client.ProtocolMismatch,
                client.NotAllowed,
                client.Busy,
                own.Unavailable,
                own.Exhausted,
                own.UnknownModel,
            ),
            EXIT_UNAVAILABLE,
        ),
        ((client.Cancelled,), EXIT_INTERRUPTED),
        ((client.CannotMatte, own.NotReady), EXIT_UNAVAILABLE),
        ((client.BridgeError, own.MattingError, OSError), EXIT_FAILED),
    ]
    for kinds, code in codes:
        if isinstance(error, kinds):
            print(f"bshm: {_sentence(error)}", file=sys.stderr)
            return code
    raise error


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
