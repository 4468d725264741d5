# SPDX-License-Identifier: Apache-2.0
"""Files in the shape of SER 0.8 users': read in SER's dialect; the only complaints are modules and commands that are not built yet.

SER's own example files are other people's text and not part of this project: where they lie beside the checkout they are read too."""
import re
import tempfile
import unittest
from pathlib import Path

import harness

OURS = sorted((harness.TOP / "tests/configs/ser-0.8").glob("*.cfg"))
BESIDE = sorted((harness.TOP.parent / "shared/configs/ser-0.8").glob("*.cfg"))


class SerConfigs(unittest.TestCase):
    def test_only_the_promised_complaints(self):
        self.assertGreaterEqual(len(OURS), 4)
        for file in OURS + BESIDE:
            with self.subTest(file.name):
                got = harness.run_once("-c", "-f", str(file))
                output = got.stdout + got.stderr
                found = re.findall(r"^[^\n:]+:\d+:\d+: (error|warning)[^:]*: ([^\n]*)", output, re.M)
                for kind, text in found:
                    if kind == "error":
                        self.assertRegex(text, r"^module .* is not built yet")
                    else:
                        self.assertRegex(text, r"^`(exec|fifo|fifo_mode)(\(\))?` is not built yet")
                errors = sum(kind == "error" for kind, _ in found)
                self.assertEqual(1 if errors else 0, got.returncode, output)
                self.assertIn("read in SER's dialect: ", output)
                self.assertIn(f"{errors} error", output)

    def test_good_files_of_both_dialects(self):
        for name, text in (("Kamailio", harness.ANSWER_ALL.replace("@PORT@", "5060")),
                           ("SER", 'loadmodule "sl.so"\nroute{ sl_send_reply("200", "OK"); }\n')):
            with self.subTest(name), tempfile.TemporaryDirectory(prefix="ser-blackbox-") as folder:
                file = Path(folder) / "good.cfg"
                file.write_text(text)
                got = harness.run_once("-c", "-f", str(file))
                self.assertEqual(0, got.returncode, got.stderr)
                self.assertIn(f"read in {name}'s dialect: ", got.stderr)
                self.assertRegex(got.stderr, r"(?m)^0 errors, 0 warnings$")


if __name__ == "__main__":
    harness.main()
