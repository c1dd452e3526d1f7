"""`bshm release`: gives GPU memory back."""

from __future__ import annotations

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="?", default="", metavar="MODEL", help="default: every loaded model"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    from bridge_client import BridgeClient, ServiceMissing

    try:
        released = BridgeClient("cli").release(args.model)
    except ServiceMissing:
        released = []
    if args.json:
        print(json.dumps({"released": released}))
    else:
        print(f"Unloaded: {', '.join(released)}." if released else "No model was loaded.")
    return 0
