# SPDX-License-Identifier: Apache-2.0
"""A file with ten different faults gives ten diagnostics at once, each at its line, and exit code 1."""
import re
import tempfile
import unittest
from pathlib import Path

import harness

# Each fault stands on a line of its own, marked `#!!` with what it is.
FAULTS = """#!KAMAILIO
loadmodule "sl.so"
loadmodule "maxfwd.so"
childern=4                                        #!! misspelt core parameter
modparam("maxfwd", "max_limt", 70)                #!! misspelt module parameter
request_route {
  forwrad();                                      #!! unknown command
  sl_send_reply("200");                           #!! wrong count of arguments
  sl_send_reply("two hundred", "OK");             #!! wrong type of argument
  route(NOWHERE);                                 #!! unknown route
  $nosuch = 1;                                    #!! unknown variable
  if ($ru =~ "(unclosed") { exit; }               #!! bad regular expression
  record_route();                                 #!! module not loaded
  append_branch("sip:a@b"); setflag(99);          #!! bad number
}
"""


class Faults(unittest.TestCase):
    def test_ten_faults_ten_diagnostics(self):
        text = "".join(line.split("#!!")[0].rstrip() + "\n" for line in FAULTS.splitlines())
        wanted = [number for number, line in enumerate(FAULTS.splitlines(), 1) if "#!!" in line]
        self.assertEqual(10, len(wanted))
        with tempfile.TemporaryDirectory(prefix="ser-blackbox-") as folder:
            file = Path(folder) / "faults.cfg"
            file.write_text(text)
            got = harness.run_once("-c", "-f", str(file))
        output = got.stdout + got.stderr
        self.assertEqual(1, got.returncode, output)
        found = [int(n) for n in re.findall(rf"^{re.escape(str(file))}:(\d+):\d+: error", output, re.M)]
        self.assertEqual(wanted, sorted(found), output)
        # A good compiler's form: the source line and a caret below it.
        self.assertEqual(10, len(re.findall(r"^[ |\d]*[~^]*\^[~^]*\s*$", output, re.M)), output)
        self.assertIn("children", output, "no hint for the misspelt 'childern'")
        self.assertIn("forward", output, "no hint for 'forwrad'")

    def test_good_file_passes(self):
        with tempfile.TemporaryDirectory(prefix="ser-blackbox-") as folder:
            file = Path(folder) / "good.cfg"
            file.write_text(harness.ANSWER_ALL.replace("@PORT@", "5060"))
            got = harness.run_once("-c", "-f", str(file))
        self.assertEqual(0, got.returncode, got.stdout + got.stderr)
        self.assertNotRegex(got.stdout + got.stderr, r":\d+:\d+: (error|warning)")


if __name__ == "__main__":
    harness.main()
