"""`bshm stop`: ends the service after its running jobs."""

from __future__ import annotations

import argparse
import json
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--no-wait", action="store_true", help="do not wait until the service has ended"
    )


def run(args: argparse.Namespace) -> int:
    import psutil

    from bridge_client import BridgeClient, ServiceMissing

    client = BridgeClient("cli")
    try:
        pid = client.status().pid
        client.shutdown()
    except ServiceMissing:
        _say(args.json, False, "No bshm service is running.")
        return 0
    if not args.no_wait:
        try:
            psutil.Process(pid).wait(timeout=120)
        except psutil.NoSuchProcess:
            pass
        except psutil.TimeoutExpired:
            print("bshm: the service still finishes its jobs", file=sys.stderr)
            return 1
    _say(args.json, True, "The service has ended." if not args.no_wait else "The service ends.")
    return 0


def _say(as_json: bool, stopped: bool, sentence: str) -> None:
    print(json.dumps({"stopped": stopped}) if as_json else sentence)
