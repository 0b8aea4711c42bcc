#!/usr/bin/python3
"""Writes docs/api/ from the protos: methods, messages, who may call what, and every reason of an error.

  script/api_reference.py [--check]

--check changes nothing, and fails when docs/api/ is not what the protos give. Needs protoc and python3-protobuf.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "script"))

# pylint: disable=wrong-import-position
from reference.contract import Contract
from reference.pages import pages_of

FOLDER = ROOT / "docs/api"


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    pages = pages_of(Contract.read(ROOT / "protos"))
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    stale = sorted(name for name in {**pages, **there} if pages.get(name) != there.get(name))
    if arguments:
        for name in stale:
            print(f"docs/api/{name} is not what the protos give: script/api_reference.py writes it")
        sys.exit(1 if stale else 0)
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        if name in pages:
            (FOLDER / name).write_text(pages[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
        print(f"docs/api/{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
