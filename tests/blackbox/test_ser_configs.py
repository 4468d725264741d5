# SPDX-License-Identifier: Apache-2.0
"""Files of SER 0.8 users: read in SER's dialect; the only complaints are modules and commands that are not built yet."""
import re
import unittest

import harness

FILES = sorted((harness.TOP / "tests/configs/ser-0.8").glob("*.cfg"))


class SerConfigs(unittest.TestCase):
    def test_only_the_promised_complaints(self):
        self.assertTrue(FILES, "tests/configs/ser-0.8 is empty")
        for file in FILES:
            with self.subTest(file.name):
                got = harness.run_once("-c", "-f", str(file))
                output = got.stdout + got.stderr
                found = re.findall(r"^[^\n:]+:\d+:\d+: (error|warning)[^:]*: ([^\n]*)", output, re.M)
                self.assertTrue(found, output)
                for kind, text in found:
                    if kind == "error":
                        self.assertRegex(text, r"\bmodule\b.*not built yet")
                    else:
                        self.assertRegex(text, r"\b(exec|fifo|fifo_mode)\b.*not built yet")
                self.assertEqual(1 if any(kind == "error" for kind, _ in found) else 0, got.returncode, output)
                self.assertRegex(output, r"(?i)\bSER\b.*dialect|dialect.*\bSER\b")


if __name__ == "__main__":
    harness.main()
