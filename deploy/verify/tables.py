#!/usr/bin/env python3
"""Writes the tables of deploy/aws/data.yaml as inputs of `aws dynamodb create-table` into a folder, for compose.

target/python-deploy/bin/python deploy/verify/tables.py deploy/docker/tables
"""

import json
import sys
from pathlib import Path

import cloudformation


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for name, table in cloudformation.tables().items():
        (folder / f"{name}.json").write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
