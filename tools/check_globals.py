#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No mutable globals, function-local statics or thread_locals in our static libraries: every symbol in a writable section
(.data, .bss, .tdata, .tbss, common) is an error. Constants that only need relocation (.data.rel.ro: vtables, constexpr tables
of pointers) are none. Exceptions with a reason: tools/allow/globals.txt."""
import argparse
import re
import subprocess
import sys
from pathlib import Path

import lintlib

ROW = re.compile(r"^[0-9a-f]+ (.{7}) (\S+)\t([0-9a-f]+)\s+(?:\.hidden |\.protected |\.internal )?(.*)$")
WRITABLE = re.compile(r"^(\.data(?!\.rel\.ro)|\.bss|\.tdata|\.tbss|\*COM\*|\.gnu\.linkonce\.[bd])")


def writable_symbols(library):
    """(object file, section, symbol) of each defined object in a writable section."""
    got = subprocess.run(["objdump", "-tC", str(library)], capture_output=True, text=True, check=True)
    member = ""
    for line in got.stdout.splitlines():
        if line.endswith(tuple("0123456789")) and ":     file format" in line or ":     file format" in line:
            member = line.split(":", 1)[0]
            continue
        row = ROW.match(line)
        if not row or not WRITABLE.match(row.group(2)) or int(row.group(3), 16) == 0:
            continue  # section symbols have no size
        if row.group(4).startswith(("DW.ref.", ".data", ".bss")):
            continue  # the compiler's own reference to the exception personality
        yield member, row.group(2), row.group(4)


def check(libraries, allowed):
    """Findings over the given archives; allow-list lines nothing needed are findings too."""
    errors, used = [], set()
    for library in libraries:
        for member, section, symbol in writable_symbols(library):
            key = f"{Path(library).name}:{symbol}"
            if key in allowed:
                used.add(key)
            else:
                errors.append(f"{Path(library).name}({member}): '{symbol}' in {section}: hand it down by constructor instead")
    errors += [f"globals.txt: '{key}' is not needed any more: remove the line" for key in sorted(set(allowed) - used)]
    return errors


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    top = Path(__file__).resolve().parent.parent
    parser.add_argument("build", nargs="?", default=top / "build/dev", type=Path, help="build folder (build/dev)")
    args = parser.parse_args()
    archives = sorted(args.build.glob("lib*.a"))
    if not archives:
        sys.exit(f"globals: no libraries in {args.build}: build first")
    sys.exit(lintlib.report("globals", check(archives, lintlib.read_allow_list(top / "tools/allow/globals.txt"))))
