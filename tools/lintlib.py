# SPDX-License-Identifier: Apache-2.0
"""Shared by the home lints: which files there are, allow-lists, C++ text without comments and strings."""
import re
import subprocess
import sys
from pathlib import Path

CODE_DIRS = ("src", "modules", "app", "bench", "fuzz", "examples")


def code_files(root, dirs=CODE_DIRS, suffixes=(".h", ".cpp")):
    """All C++ files below the given folders, sorted, as paths relative to root."""
    root = Path(root)
    found = []
    for folder in dirs:
        found += [p.relative_to(root) for p in (root / folder).rglob("*") if p.suffix in suffixes and p.is_file()]
    return sorted(found)


def git_files(root, *patterns):
    """Files git knows or would add (not the ignored ones); every file when root is no repository."""
    got = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "--", *patterns],
                         capture_output=True, text=True, check=False)
    if got.returncode != 0:
        return sorted(p.relative_to(root) for p in Path(root).rglob("*") if p.is_file())
    return sorted({Path(line) for line in got.stdout.splitlines() if (Path(root) / line).is_file()})


def read_allow_list(path):
    """Lines `key  # reason`; the reason is required. Returns {key: reason}."""
    rows = {}
    if not Path(path).exists():
        return rows
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, mark, reason = line.partition("  # ")
        if not mark or not reason.strip():
            raise SystemExit(f"{path}:{number}: an allow-list line is `key  # reason`")
        rows[key.strip()] = reason.strip()
    return rows


_NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^\s()\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])\'(?:\\.|[^\'\\\n])+\'', re.S)


def strip_noise(text):
    """Comments become blanks, strings and characters become ""; line numbers stay as they were."""
    def blank(match):
        lines = "\n" * match.group(0).count("\n")
        return lines if match.group(0).startswith("/") else '""' + lines
    return _NOISE.sub(blank, text)


def report(name, errors, note=""):
    """Prints the findings and returns the exit code."""
    for line in errors:
        print(line)
    if note:
        print(note)
    if errors:
        print(f"{name}: {len(errors)} finding{'s' if len(errors) != 1 else ''}", file=sys.stderr)
    return 1 if errors else 0
