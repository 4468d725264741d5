#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents stay true: relative links in Markdown files lead somewhere; docs/reference has a page for each name of
`ser --doc=list` and it is what `ser --doc=NAME` prints today; the options in the man page are what `ser --doc=man` and `ser --doc=man-test` print,
etc/completion what `ser --completion=SHELL` prints. --update writes them."""
import argparse
import difflib
import re
import subprocess
import sys
from pathlib import Path

import lintlib

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def link_errors(root, path):
    """Relative links of one Markdown file that lead nowhere."""
    errors = []
    text = re.sub(r"```.*?```", lambda m: "\n" * m.group(0).count("\n"), (Path(root) / path).read_text(), flags=re.S)
    for match in LINK.finditer(text):
        target = match.group(1).split("#")[0]
        if target and not re.match(r"[a-z]+:", target) and not (Path(root) / path).parent.joinpath(target).exists():
            errors.append(f"{path}:{text.count(chr(10), 0, match.start()) + 1}: no such file: {target}")
    return errors


def split_section(title):
    """The function that cuts a man page into (before, the text of its section of that title, after)."""
    def split(page):
        head, mark, rest = page.partition(f".SH {title}\n")
        body, next_mark, after = rest.partition(".SH ")
        return head + mark, body, next_mark + after
    return split


def whole(text):
    """A page that is generated as a whole."""
    return "", text, ""


def run(binary, *args):
    """(exit code, standard output, standard error) of the program."""
    got = subprocess.run([binary, *args], capture_output=True, text=True, timeout=20, check=False)
    return got.returncode, got.stdout, got.stderr


def generated_pages(root, binary):
    """(file, option that prints it, function that cuts the generated part out of the file's text) of each page."""
    names = [line.split()[0] for line in run(binary, "--doc=list")[1].splitlines() if line.strip()]
    folder = Path(root) / "docs/reference"
    for name in sorted({*names, *(page.stem for page in folder.glob("*.md") if page.stem != "README")}):
        yield folder / f"{name}.md", f"--doc={name}", whole
    for shell in ("bash", "zsh", "fish"):
        yield Path(root) / f"etc/completion/ser.{shell}", f"--completion={shell}", whole
    man = Path(root) / "docs/man/ser.8"
    if man.exists():
        yield man, "--doc=man", split_section("OPTIONS")
        yield man, "--doc=man-test", split_section("OPTIONS OF TEST")


def reference_errors(root, binary, update):
    """Generated pages against the program's own words."""
    errors = []
    for page, option, split in generated_pages(root, binary):
        code, text, problem = run(binary, option)
        before, now, after = split(page.read_text()) if page.exists() else ("", "", "")
        if code != 0:
            errors.append(f"{page.name}: `ser {option}` failed: {problem.strip()[:200]}")
        elif update:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(before + text + after)
        elif text != now:
            errors.append(f"{page.name} is not what `ser {option}` prints; tools/check_docs.py --update writes it")
            errors += list(difflib.unified_diff(now.splitlines(), text.splitlines(), lineterm="", n=1))[:20]
    return errors


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    top = Path(__file__).resolve().parent.parent
    parser.add_argument("--binary", default="build/release/ser")
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    found = [e for path in lintlib.git_files(top, "*.md") for e in link_errors(top, path)]
    found += reference_errors(top, str((top / args.binary).resolve()), args.update)
    sys.exit(lintlib.report("docs", found))
