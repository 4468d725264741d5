# SPDX-License-Identifier: Apache-2.0
"""What the README tells a newcomer: etc/ser.cfg, a sipp callee on 5070, a sipp caller through the router, sipsak."""
import subprocess
import unittest

import harness
from harness import HOST, Server, end_sipp, free_port, sipp_errors, start_sipp, udp_bound, wait_until

CALLS, RATE = 1000, 100


class Newcomer(unittest.TestCase):
    def setUp(self):
        self.callee_port, self.caller_port = free_port(5070), free_port(5080)
        config = (harness.TOP / "etc/ser.cfg").read_text()
        self.server = Server(config, port=free_port(5060))
        # Outside a namespace the well-known ports may be taken: same file, other numbers.
        self.server.config.write_text(config.replace("5060", str(self.server.port)).replace("5070", str(self.callee_port)))

    def test_calls_without_loss_or_surprise(self):
        with self.server as server:
            callee = start_sipp("-sn", "uas", "-p", str(self.callee_port), "-m", str(CALLS), "-trace_err")
            self.addCleanup(end_sipp, callee)
            wait_until(lambda: udp_bound(self.callee_port), 5, "the callee to listen")
            caller = start_sipp("-sn", "uac", f"{HOST}:{server.port}", "-p", str(self.caller_port), "-m", str(CALLS), "-r", str(RATE),
                                "-d", "50", "-timeout", "60", "-trace_err", "-trace_stat", "-stf", "calls.csv")
            self.addCleanup(end_sipp, caller)
            self.assertEqual(0, caller.wait(90), "the caller saw a failed call")
            self.assertEqual(0, callee.wait(10), "the callee saw a failed call")
            for peer in (caller, callee):
                self.assertEqual("", sipp_errors(peer)[:2000])
            names, *_, last = [line.split(";") for line in (caller.folder / "calls.csv").read_text().splitlines() if line]
            figures = dict(zip(names, last))
            self.assertEqual(CALLS, int(figures["SuccessfulCall(C)"]))
            self.assertEqual(0, int(figures["FailedCall(C)"]))
            self.assertEqual(0, int(figures["Retransmissions(C)"]), "something was lost on loopback and sent again")

    def test_sipsak_gets_its_answer(self):
        with self.server as server:
            got = subprocess.run(["sipsak", "-H", HOST, "-s", f"sip:{HOST}:{server.port}"], capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(0, got.returncode, got.stdout + got.stderr)

    def test_no_open_relay(self):
        foreign = "127.0.0.9"
        with self.server as server, harness.Peer() as caller, harness.Peer(self.callee_port) as callee, \
                harness.Peer(host=foreign) as victim:
            there, own = f"{foreign}:{victim.port}", f"{HOST}:{server.port}"
            strangers = [
                ("INVITE", f"sip:x@{there}", "", ""),
                ("INVITE", f"sip:x@{there};transport=udp", f"Route: <sip:{own};lr>\r\n", ""),
                ("INVITE", f"sip:x@{own}", f"Route: <sip:{there};lr>\r\n", ""),
                ("INVITE", f"sip:x@{own}", f"Route: <sip:{own};lr>, <sip:{there};lr>\r\n", ""),
                ("INVITE", f"sip:x@{own};maddr={foreign}", "", ""),
                ("INVITE", f"sip:{own}@{there}", "", ""),
                ("INVITE", f"sip:x@{there}@{own}", "", ""),
                ("CANCEL", f"sip:x@{there}", "", ""),
                ("ACK", f"sip:x@{there}", "", ""),
                ("MESSAGE", f"sip:x@{there}", "", ";tag=2"),
                ("BYE", f"sip:x@{there}", f"Route: <sip:{own};lr>\r\n", ";tag=2"),
                ("BYE", f"sip:{own};lr", f"Route: <sip:{own};lr>, <sip:x@{there}>\r\n", ";tag=2"),
                ("ACK", f"sip:x@{there}", f"Route: <sip:{there};lr>\r\n", ";tag=2"),
            ]
            for n, (method, uri, route, tag) in enumerate(strangers):
                request = caller.request(method, server.port, f"relay{n}", uri=uri).decode()
                request = request.replace(f"To: <sip:b@{HOST}>", f"To: <sip:b@{HOST}>{tag}").replace("Max-Forwards", f"{route}Max-Forwards")
                caller.send(request.encode(), server.port)
            self.assertEqual(200, caller.ask(server.port, "mark"), "all before it are done: one worker, in order")
            self.assertIsNone(victim.receive(0), "a stranger was sent where he likes")
            # What goes to our server tells it no way of the caller's choice, but within a dialog.
            for forwarded in iter(lambda: callee.receive(0), None):
                if b"To: <sip:b@127.0.0.1>;tag=" not in forwarded:
                    self.assertNotIn(b"\r\nRoute:", forwarded)


if __name__ == "__main__":
    harness.main()
