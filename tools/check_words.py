#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Words that do not belong in the tree: unfinished places in the code, skipped or empty tests, paths of somebody's machine,
and files without a licence line."""
import argparse
import re
import sys
from pathlib import Path

import lintlib

# Written in pieces so that this file does not find itself.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK", "not imple" "mented", "st" "ub")) + r")\b")
EMPTY_TESTS = re.compile("GTEST_" "SKIP|DIS" r"ABLED_|(EXPECT|ASSERT)_TRUE\(tr" r"ue\)")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(work|tmp/wt|home/\w+|root)/|/fa" r"rm/|fa" r"rm-(studio|bench)|sub" r"agent|developers?.? ses" r"sion")
LICENCE = "SPDX-License-Identifier: Apache-2.0"
CODE = ("src/", "modules/", "app/", "tools/")
NEEDS_LICENCE = (".h", ".cpp", ".py", ".sh", ".cmake")


def file_errors(path, text):
    """Findings in one file; path is relative to the root, with slashes."""
    errors = []
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what, applies in (
                (UNFINISHED, "unfinished place", path.startswith(CODE)),
                (EMPTY_TESTS, "skipped or empty test", True),
                (MACHINE_PATHS, "path or word that does not belong here", True)):
            found = pattern.search(line) if applies else None
            if found:
                errors.append(f"{path}:{number}: {what}: '{found.group(0)}'")
    if path.endswith(NEEDS_LICENCE) and LICENCE not in "\n".join(text.splitlines()[:2]):
        errors.append(f"{path}:1: no line '{LICENCE}'")
    return errors


def check(root):
    """All findings for the tree at root."""
    errors = []
    for path in lintlib.git_files(root):
        data = (Path(root) / path).read_bytes()
        if b"\0" not in data[:8192] and path.name != "LICENSE" and path.suffix != ".sip":
            errors += file_errors(path.as_posix(), data.decode(errors="replace"))
    return errors


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent, type=Path)
    sys.exit(lintlib.report("words", check(parser.parse_args().root)))
