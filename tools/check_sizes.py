#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes: a file above 600 lines is an error, above 500 a warning; a function above 100 lines is an error unless it stands
in tools/allow/long_functions.txt (tables and switches), above 60 a warning. The allow-list only shrinks: a line in it that is
no longer needed is an error."""
import argparse
import re
import sys
from pathlib import Path

import lintlib

FILE_LIMIT, FILE_AIM = 600, 500
FUNCTION_LIMIT, FUNCTION_AIM = 100, 60

# What stands before a `{` that is no function: types, namespaces, initialisers, enumerations.
_NO_FUNCTION = re.compile(r"(^|[\s;}])(namespace|class|struct|union|enum|extern)\b(?![^{]*\)\s*(const|noexcept|override|final|->|$))")
_NAME = re.compile(r"([~\w:]+(?:<[^<>]*>)?|operator[^\s(]{1,3})\s*\(")


def functions(text):
    """Yields (name, first line, lines) of each function body, by braces: outermost braces inside namespaces and types whose
    head has a parameter list. Heuristic: good enough to find long functions, not to parse C++."""
    text = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", lambda m: "\n" * m.group(0).count("\n"), lintlib.strip_noise(text), flags=re.M)
    stack, head_start, line = [], 0, 1
    for match in re.finditer(r"[{};\n]", text):
        mark = match.group(0)
        if mark == "\n":
            line += 1
            continue
        inside_function = any(kind == "function" for kind, *_ in stack)
        if mark == "{":
            head = text[head_start:match.start()].strip()
            kind, name = "other", ""
            if not inside_function:
                found = _NAME.search(head)
                if _NO_FUNCTION.search(head) and not re.search(r"\)\s*(const|noexcept|override|final|->[^{]*)*\s*$", head):
                    kind = "scope"
                elif found and not head.endswith("="):
                    kind, name = "function", found.group(1)
            stack.append((kind, name, line, head_start))
        elif mark == "}" and stack:
            kind, name, first, opened = stack.pop()
            if kind == "function" and text[match.end():match.end() + 200].lstrip()[:1] in (",", "{"):
                head_start = opened  # a member initialiser: the body is still to come
                continue
            if kind == "function":
                yield name, first, line - first + 1
        head_start = match.end()


def check(root):
    """(errors, warnings) for the tree at root."""
    root = Path(root)
    allow_file = root / "tools/allow/long_functions.txt"
    allowed, used, errors, warnings = lintlib.read_allow_list(allow_file), set(), [], []
    for path in lintlib.code_files(root):
        text = (root / path).read_text(errors="replace")
        lines = text.count("\n")
        if lines > FILE_LIMIT:
            errors.append(f"{path}: {lines} lines, the limit is {FILE_LIMIT}: split it")
        elif lines > FILE_AIM:
            warnings.append(f"{path}: {lines} lines, aim at {FILE_AIM}")
        for name, first, length in functions(text):
            key = f"{path}:{name}"
            if length > FUNCTION_LIMIT and key in allowed:
                used.add(key)
            elif length > FUNCTION_LIMIT:
                errors.append(f"{path}:{first}: {name} has {length} lines, the limit is {FUNCTION_LIMIT}")
            elif length > FUNCTION_AIM:
                warnings.append(f"{path}:{first}: {name} has {length} lines, aim at {FUNCTION_AIM}")
    errors += [f"{allow_file.name}: '{key}' is not needed any more: remove the line" for key in sorted(set(allowed) - used)]
    return errors, warnings


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent, type=Path)
    parser.add_argument("--warnings", action="store_true", help="list the warnings too, not only their number")
    args = parser.parse_args()
    found, warned = check(args.root)
    if args.warnings:
        print("\n".join(warned))
    sys.exit(lintlib.report("sizes", found, f"{len(warned)} above the aim (--warnings lists them)" if warned else ""))
