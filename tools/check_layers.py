#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The direction of includes: cmake/layers.txt says which library may include which; every other include of ours,
an include of another module, and a cycle (of rows or of files) is an error."""
import argparse
import re
import sys
from pathlib import Path

import lintlib

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def read_rows(path):
    """layers.txt as {layer: set of layers it may include}."""
    rows = {}
    for line in Path(path).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, deps = line.partition(":")
            rows[name.strip()] = set(deps.split())
    return rows


def row_errors(rows):
    """Rows must name known layers and must not form a cycle."""
    errors = [f"layers.txt: row '{name}' names unknown layer '{dep}'"
              for name, deps in rows.items() for dep in sorted(deps) if dep not in rows]
    for name in rows:
        seen, queue = set(), [name]
        while queue:
            for dep in rows.get(queue.pop(), ()):
                if dep == name:
                    errors.append(f"layers.txt: '{name}' reaches itself")
                elif dep not in seen:
                    seen.add(dep)
                    queue.append(dep)
    return errors


def layer_of(path):
    """(layer, unit) of a file or an include: modules/sl/sl.h is ('modules/*', 'modules/sl'), sip/uri.h ('sip', 'sip')."""
    parts = Path(path).parts
    if parts[0] == "src":
        parts = parts[1:]
    if parts[0] == "modules" and len(parts) > 1:
        return "modules/*", f"modules/{parts[1]}"
    return parts[0], parts[0]


def include_errors(root, rows, files):
    """Checks every quoted include; returns the errors and the graph of our files."""
    errors, graph = [], {}
    for path in files:
        text = (root / path).read_text(errors="replace")
        layer, unit = layer_of(path)
        for match in INCLUDE.finditer(text):
            target = match.group(1)
            where = f"{path}:{text.count(chr(10), 0, match.start(1)) + 1}"
            if layer in ("bench", "fuzz", "examples"):
                continue  # tools: they may use every library
            if "/" not in target:
                errors.append(f'{where}: "{target}": include as "library/file.h"')
                continue
            to_layer, to_unit = layer_of(target)
            local = root / ("" if to_layer in ("modules/*", "app") else "src") / target
            if local.exists():
                graph.setdefault(str(path), []).append((str(local.relative_to(root)), where))
            if to_unit == unit:
                continue
            if layer == "modules/*" and to_layer == "modules/*":
                errors.append(f"{where}: {unit} includes {target}: modules never include each other")
            elif to_layer not in rows:
                errors.append(f"{where}: {target}: no layer '{to_layer}' in cmake/layers.txt")
            elif layer not in rows:
                errors.append(f"{where}: no layer '{layer}' in cmake/layers.txt")
            elif to_layer not in rows[layer]:
                errors.append(f"{where}: {layer} must not include {target} (its row: {' '.join(sorted(rows[layer])) or 'nothing'})")
    return errors, graph


def cycle_errors(graph):
    """Cycles between files, each told once."""
    errors, done = [], set()

    def visit(start):
        stack, trail, on_trail = [(start, iter(graph.get(start, ())))], [start], {start}
        while stack:
            step = next(stack[-1][1], None)
            if step is None:
                done.add(stack.pop()[0])
                on_trail.discard(trail.pop())
                continue
            target, where = step
            if target in on_trail:
                errors.append(f"{where}: include cycle: {' -> '.join(trail[trail.index(target):] + [target])}")
            elif target not in done:
                stack.append((target, iter(graph.get(target, ()))))
                trail.append(target)
                on_trail.add(target)

    for node in sorted(graph):
        if node not in done:
            visit(node)
    return errors


def check(root):
    """All findings for the tree at root."""
    root = Path(root)
    rows = read_rows(root / "cmake/layers.txt")
    errors, graph = include_errors(root, rows, lintlib.code_files(root))
    return row_errors(rows) + errors + cycle_errors(graph)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent, type=Path)
    sys.exit(lintlib.report("layers", check(parser.parse_args().root)))
