"""`bshm serve`: runs the service in the foreground."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tcp", action="store_true", help="listen on a loopback port, not a unix socket"
    )
    parser.add_argument(
        "--idle-exit",
        type=float,
        metavar="SECONDS",
        help="end when nobody called for this long (0: never; default: the setting, 3600)",
    )
    parser.add_argument(
        "--idle-unload",
        type=float,
        metavar="SECONDS",
        help="unload a model that was not used for this long (0: never; default: 600)",
    )
    parser.add_argument(
        "--metrics-port",
        type=int,
        metavar="PORT",
        help="answer Prometheus on this loopback port (needs bshm-bridge[metrics])",
    )
    parser.add_argument(
        "--preload", metavar="MODEL", help="load this model at once (or “auto”: the best there is)"
    )
    parser.add_argument(
        "--verbose", action="store_true", help="write the log to the terminal as well"
    )


def run(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from bshm_bridge.config import load_settings
    from bshm_bridge.engines import installed
    from bshm_bridge.paths import Paths, home
    from bshm_bridge.service.log import open_log
    from bshm_bridge.service.server import serve

    paths = Paths(home())
    settings = load_settings(paths.config)
    if args.tcp:
        settings = replace(settings, tcp=True)
    if args.idle_exit is not None:
        settings = replace(settings, idle_exit=args.idle_exit)
    if args.idle_unload is not None:
        settings = replace(settings, idle_unload=args.idle_unload)
    registry = installed.registry(paths)
    if args.preload:
        registry.choose(args.preload, "", "auto")  # raises where there is no such model
    open_log(paths.logs, to_terminal=args.verbose)
    serve(
        paths,
        settings,
        registry,
        ready=lambda endpoint: print(f"ready {endpoint}", flush=True),
        metrics_port=args.metrics_port,
        preload=args.preload,
    )
    return 0
