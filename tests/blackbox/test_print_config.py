# SPDX-License-Identifier: Apache-2.0
"""--cfg-print shows what the preprocessor makes of a file, and that reads the same; -A, --subst and --substdef act on it."""
import tempfile
import unittest
from pathlib import Path

import harness
from harness import run_once

CONFIG = """#!KAMAILIO
#!define FLAG 7
#!ifdef EDGE
loadmodule "sl.so"
#!endif
import_file "more.cfg"
request_route {   # a comment
  setflag(FLAG);
  log(1, "at HOST \\"here\\"\\n");
  if (uri =~ "^sip:[0-9]+@") { $var(x) = PORT; }
  forward("127.0.0.1", PORT);
}
"""


class PrintConfig(unittest.TestCase):
    def printed(self, *args, config=CONFIG):
        with tempfile.TemporaryDirectory(prefix="ser-blackbox-") as folder:
            file = Path(folder) / "a.cfg"
            file.write_text(config)
            (Path(folder) / "more.cfg").write_text("children=3\n")
            got = run_once("--cfg-print", "-f", str(file), *args)
            self.assertEqual(0, got.returncode, got.stderr)
            (Path(folder) / "b.cfg").write_text(got.stdout)
            again = run_once("--cfg-print", "-f", str(Path(folder) / "b.cfg"))
            self.assertEqual(got.stdout, again.stdout)
            check = run_once("-c", "-f", str(Path(folder) / "b.cfg"))
            self.assertEqual(0, check.returncode, check.stderr)
            return got.stdout

    def test_defines_includes_and_substitutions(self):
        text = self.printed("-A", "EDGE", "--subst", "/HOST/edge1/", "--substdef", "/PORT/5070/")
        self.assertEqual('#!KAMAILIO\nloadmodule "sl.so"\nchildren=3\nrequest_route {\nsetflag( 7);\nlog(1, "at edge1 \\"here\\"\\n");\n'
                         'if (uri =~ "^sip:[0-9]+@") { $var(x) = 5070; }\nforward("127.0.0.1", 5070);\n}\n', text)

    def test_without_the_define(self):
        self.assertNotIn("loadmodule", self.printed("--substdef", "/PORT/5070/"))

    def test_ser_dialect_is_kept(self):
        text = self.printed(config='route{ if (uri=~"a|b") { break; }; log("\\tx"); }\n')
        self.assertEqual('#!SER\nroute{ if (uri=~"a|b") { break; }; log("\\tx"); }\n', text)

    def test_missing_file(self):
        got = run_once("--cfg-print", "-f", "/nonexistent/ser.cfg")
        self.assertEqual(1, got.returncode)
        self.assertEqual(1, len(harness.error_lines(got.stderr)), got.stderr)
        self.assertNotIn("dialect", run_once("-c", "-f", "/nonexistent/ser.cfg").stderr)

    def test_bad_substitution(self):
        with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
            file.write("request_route { exit; }\n")
            file.flush()
            got = run_once("-c", "--subst", "/(/x/", "-f", file.name)
        self.assertEqual(1, got.returncode)
        self.assertRegex(got.stderr, r"E0118")


if __name__ == "__main__":
    harness.main()
