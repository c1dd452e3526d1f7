"""`bshm doctor`: what is wrong, and how to mend it."""

from __future__ import annotations

import argparse
import json

FINE, PROBLEMS = 0, 1
_MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="start no runtime and no model")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from bshm_bridge.doctor.examination import examine
    from bshm_bridge.paths import Paths, home

    findings = []
    area = ""
    for finding in examine(Paths(home()), args.quick):
        findings.append(finding)
        if args.json:
            continue
        if finding.area != area:
            area = finding.area
            print(f"{area}:")
        print(f"  {_MARKS[finding.level]:8}{finding.text}", flush=True)
        if finding.mend:
            print(f"          -> {finding.mend}", flush=True)
    problems = sum(finding.level == "problem" for finding in findings)
    if args.json:
        rows = [asdict(finding) for finding in findings]
        print(json.dumps({"problems": problems, "findings": rows}, indent=2))
    elif problems:
        print(f"{problems} {'problem' if problems == 1 else 'problems'}; “->” says how to mend it.")
    else:
        print("Nothing is wrong.")
    return PROBLEMS if problems else FINE
