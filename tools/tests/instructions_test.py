# SPDX-License-Identifier: Apache-2.0
"""The comparison of instruction figures is shown to fail on what must not pass."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent.parent / "bench"


def load():
    """bench/instructions, which has no .py at its end, as a module."""
    sys.path.insert(0, str(BENCH))
    loader = importlib.machinery.SourceFileLoader("instructions", str(BENCH / "instructions"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("instructions", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


class Record(unittest.TestCase):
    instructions = load()

    def compare(self, now, recorded):
        results = {w: {"ours": figure} for w, figure in now.items()}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file, contextlib.redirect_stdout(io.StringIO()) as out:
            json.dump(recorded, file)
            file.flush()
            good = self.instructions.compare(results, file.name, 0.05)
        return good, out.getvalue()

    def test_equal_smaller_and_slightly_larger_pass(self):
        good, text = self.compare({"w1-short": 1049, "w6-short": 400}, {"w1-short": 1000, "w6-short": 500})
        self.assertTrue(good, text)
        self.assertTrue(text.splitlines()[-1].startswith("= w1-short 1,049"), text)

    def test_grown_figure_fails(self):
        good, text = self.compare({"w1-short": 1060, "w6-short": 500}, {"w1-short": 1000, "w6-short": 500})
        self.assertFalse(good)
        self.assertIn("w1-short: 1,060 against 1,000 recorded: +6.0%, at most +5%: GREW TOO MUCH", text)

    def test_missing_figures_fail(self):
        for now, recorded in (({"w1-short": 1}, {"w1-short": 1, "w6-short": 1}), ({"w1-short": 1, "w6-short": 1}, {"w6-short": 1}),
                              ({}, {"w1-short": 1})):
            self.assertFalse(self.compare(now, recorded)[0], (now, recorded))

    def test_missing_record_fails(self):
        with self.assertRaisesRegex(self.instructions.Failure, "there is no record"):
            self.instructions.compare({"w1-short": {"ours": 1}}, "/nowhere/instructions.json", 0.05)


if __name__ == "__main__":
    unittest.main()
