#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`ser test` from the outside: reports against records, exit codes, determinism, JUnit, coverage, and the examples of
docs/testing.md. SER_UPDATE_GOLDEN=1 writes the records anew."""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = None


def run(*arguments, columns="100", **more):
    environment = {**os.environ, "COLUMNS": columns}
    return subprocess.run([BINARY, "test", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True,
                          timeout=60, check=False, **more)


class Tool(unittest.TestCase):
    maxDiff = None

    def record(self, name, text):
        path = ROOT / "tests/golden/flow" / name
        if os.environ.get("SER_UPDATE_GOLDEN"):
            path.write_text(text)
        self.assertEqual(text, path.read_text())

    def test_reports_of_failures(self):
        for columns, name in (("100", "failing.out"), ("80", "failing80.out")):
            got = run("tests/golden/flow/failing.flow", columns=columns)
            self.assertEqual(got.returncode, 1)
            self.record(name, got.stdout)
            self.assertTrue(got.stdout.endswith("0 passed, 12 failed\n"))
        for line in got.stdout.splitlines():
            if " | " in line:
                self.assertLessEqual(len(line), 80, line)

    def test_faults_are_told_at_once(self):
        got = run("tests/golden/flow/faulty.flow")
        self.assertEqual((got.returncode, got.stdout), (1, ""))
        self.record("faulty.out", got.stderr)

    def test_the_same_seed_makes_the_same_bytes(self):
        files = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests/flows").rglob("*.flow"))
        outputs = [run("--verbose", "--seed=7", *files).stdout for _ in range(2)]
        self.assertEqual(*outputs)
        lossy = ["--verbose", "--filter=lossy", "tests/flows/network.flow"]
        patterns = {run(f"--seed={seed}", *lossy).stdout.split("passed,")[0].count("(lost)") for seed in range(1, 9)}
        self.assertGreater(len(patterns), 1, "the seed changes what is lost")

    def test_junit(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "out.xml"
            got = run(f"--junit={path}", "tests/golden/flow/failing.flow", "examples/ser.flow")
            self.assertEqual(got.returncode, 1)
            suites = ElementTree.parse(path).getroot()
        self.assertEqual([suite.get("failures") for suite in suites], ["12", "0"])
        cases = suites[0].findall("testcase")
        self.assertEqual(cases[0].get("name"), "a header field differs")
        self.assertIn("is not as expected", cases[0].find("failure").get("message"))
        self.assertIn("! Subject: another", cases[0].find("failure").text)

    def test_coverage(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "out.info"
            got = run(f"--coverage={path}", "--filter=OPTIONS to*", "examples/ser.flow")
            self.assertEqual(got.returncode, 0, got.stdout)
            lines = path.read_text().splitlines()
        script = (ROOT / "etc/ser.cfg").read_text().splitlines()
        place = next(i for i, line in enumerate(script, 1) if "options_reply" in line)
        self.assertIn("SF:etc/ser.cfg", lines)
        self.assertIn(f"DA:{place},1", lines)
        place = next(i for i, line in enumerate(script, 1) if "record_route()" in line)
        self.assertIn(f"DA:{place},0", lines)
        got = run("--coverage", "--filter=OPTIONS to*", "examples/ser.flow")
        self.assertRegex(got.stdout, r"(?m)^ +\d+\.\d % +\d+ of \d+ +etc/ser\.cfg  not run: ")

    def test_usage(self):
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("--lst", "x").returncode, 2)
        self.assertEqual(run("--help").returncode, 0)
        self.assertEqual(run("no_such.flow").returncode, 1)
        self.assertEqual(run("--filter=nothing at all", "examples/ser.flow").returncode, 1)
        listed = run("--list", "--filter=relay", "examples/ser.flow")
        self.assertRegex(listed.stdout, r"^examples/ser\.flow:\d+: no open relay\n$")

    def test_examples_of_the_manual(self):
        blocks = re.findall(r"^```flow\n(.*?)^```", (ROOT / "docs/testing.md").read_text(), re.M | re.S)
        self.assertGreaterEqual(len(blocks), 3)
        for block in blocks:
            with tempfile.NamedTemporaryFile("w", suffix=".flow") as file:
                file.write(block)
                file.flush()
                got = run(file.name)
                self.assertEqual(got.returncode, 0, got.stdout + got.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=os.environ.get("SER_BINARY", str(ROOT / "build/dev/ser")))
    known, rest = parser.parse_known_args()
    BINARY = str(Path(known.binary).resolve())
    unittest.main(argv=[sys.argv[0], *rest])
