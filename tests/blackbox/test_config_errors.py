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

    def test_a_byte_order_mark_is_no_fault(self):
        with tempfile.TemporaryDirectory(prefix="ser-blackbox-") as folder:
            file = Path(folder) / "bom.cfg"
            file.write_bytes(b"\xef\xbb\xbf" + harness.ANSWER_ALL.replace("@PORT@", "5060").encode())
            got = harness.run_once("-c", "-f", str(file))
        self.assertEqual(0, got.returncode, got.stdout + got.stderr)
        self.assertIn("its first line is `#!KAMAILIO`", got.stdout + got.stderr)

    def test_why_a_file_cannot_be_read(self):
        with tempfile.TemporaryDirectory(prefix="ser-blackbox-") as folder:
            top = Path(folder) / "top.cfg"
            top.write_text(f'#!KAMAILIO\nimport_file "{folder}"\nimport_file "none.cfg"\ninclude_file "none.cfg"\n')
            for name, why in ((folder, "is a directory"), (f"{folder}/none.cfg", "no such file or directory"),
                              ("/dev/null", "not a regular file")):
                got = harness.run_once("-c", "-f", name)
                self.assertEqual(1, got.returncode)
                self.assertIn(f"{name}: error: cannot read this file: {why}", got.stdout + got.stderr)
            got = harness.run_once("-c", "-f", str(top))
        output = got.stdout + got.stderr
        self.assertIn(f"{top}:2:13: error: cannot read `{folder}`: is a directory", output)
        self.assertIn(f"{top}:4:14: error: cannot read `{folder}/none.cfg`: no such file or directory", output)
        self.assertIn("2 errors", output)

    def test_known_and_not_built_is_told_from_unknown(self):
        with tempfile.TemporaryDirectory(prefix="ser-blackbox-") as folder:
            file = Path(folder) / "later.cfg"
            file.write_text('#!KAMAILIO\nloadmodule "textops.so"\nrequest_route {\n  keep_hf("From");\n  filter_body("text/plain");\n'
                            '  forward_tcp("192.0.2.1", 5060);\n  sl_snd_reply("200", "OK");\n  udp_mtu_try_proto(TCP);\n'
                            '  force_tcp_alias();\n}\n')
            got = harness.run_once("-c", "-f", str(file))
        output = got.stdout + got.stderr
        self.assertIn('4:3: error: `keep_hf` of module "textopsx" is not built yet [E0305]', output)
        self.assertIn('5:3: error: `filter_body` of module "textops" is not built yet [E0305]', output)
        self.assertIn("6:3: error: `forward_tcp` of Kamailio's core is not built yet [E0305]", output)
        self.assertIn("7:3: error: unknown function `sl_snd_reply` [E0301]", output)
        self.assertIn("did you mean `sl_send_reply`?", output)
        self.assertIn("4 errors", output)


if __name__ == "__main__":
    harness.main()
