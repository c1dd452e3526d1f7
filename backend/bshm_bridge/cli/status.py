"""`bshm status`: what the running service is doing."""

from __future__ import annotations

import argparse
import json
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from bridge_client import BridgeClient, ServiceMissing

    try:
        status = BridgeClient("cli").status()
    except ServiceMissing:
        if args.json:
            print(json.dumps({"running": False}))
        else:
            print("No bshm service is running; it starts when it is needed.", file=sys.stderr)
        return 4
    if args.json:
        print(json.dumps({"running": True, **asdict(status)}, indent=2))
        return 0
    print(
        f"bshm {status.version}, pid {status.pid}, up {status.uptime:.0f} s, "
        f"{status.memory / 1e6:.0f} MB{', shutting down' if status.draining else ''}"
    )
    print(f"jobs: {status.done} done, {status.failed} failed, {status.cancelled} cancelled")
    reason = f": {status.default_reason}" if status.default_reason else ""
    print(f"“auto” means the model {status.default_model}{reason}")
    for model in status.models:
        if model.state != "absent" or model.installed:
            device = f" on {model.device}" if model.device else ""
            note = f": {model.message}" if model.message else ""
            print(f"  {model.name:12} {model.engine or 'no engine'}{device}, {model.state}{note}")
    for job in status.jobs:
        print(
            f"  job from {job.client}: {job.width}×{job.height}, {job.model}, {job.stage}, "
            f"{job.age:.1f} s"
        )
    return 0
