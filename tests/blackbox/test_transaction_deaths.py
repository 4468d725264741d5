# SPDX-License-Identifier: Apache-2.0
"""The very worker that holds a transaction is killed while a route of it runs: the transaction goes on, its client gets an answer,
and what it held comes back. Any worker at any moment: tests/chaos."""
import os
import re
import signal
import unittest
from pathlib import Path

import harness
from harness import HOST, Peer, Server, title, wait_until
from test_transactions import answer, header

CONFIG = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=2
# The test kills, nobody else.
worker_watchdog=0
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "@DEADLY@"
modparam("tm", "fr_timer", 600)
modparam("tm", "wt_timer", 400)
request_route {
  if (method == "CANCEL") { if (!t_relay_cancel()) sl_send_reply("481", "No Such Call"); exit; }
  if (method == "ACK") { t_check_trans(); exit; }
  t_on_reply("REPLY");
  if ($rU == "fails") t_on_failure("FAILS");
  t_on_branch("BRANCH");
  $du = "sip:127.0.0.1:@BOB@";
  if (!t_relay()) sl_reply_error();
}
branch_route[BRANCH] { if (is_present_hf("X-Loop-In-Branch")) deadly("loop"); }
onreply_route[REPLY] { if (is_present_hf("X-Loop-In-Reply")) deadly("loop"); }
failure_route[FAILS] { deadly("loop"); }
"""
LOOP = b"X-Loop-In-Reply: yes\r\n"


def cpu_ticks(pid):
    """User time of a process, in ticks."""
    fields = (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11])


class DeathOfTheHolder(unittest.TestCase):
    def setUp(self):
        self.alice, self.bob = Peer(), Peer()
        self.addCleanup(self.alice.socket.close)
        self.addCleanup(self.bob.socket.close)

    def server(self):
        config = CONFIG.replace("@BOB@", str(self.bob.port)).replace("@DEADLY@", str(harness.deadly_module()))
        made = Server(config)
        made.args += ["-s", str(made.stat_file)]
        return made

    def got(self, peer, what, seconds=3.0):
        """The next message of that peer that is no retransmitted INVITE; it must begin with `what`."""
        while True:
            message = peer.receive(seconds)
            self.assertIsNotNone(message, f"{what!r} expected, nothing came")
            if what == "INVITE" or not message.startswith(b"INVITE"):
                break
        self.assertTrue(message.startswith(what.encode()), message)
        return message

    def invite(self, server, user="bob", more=b""):
        """Alice calls; (the INVITE as sent, as it came to Bob)."""
        invite = self.alice.request("INVITE", server.port, "death", uri=f"sip:{user}@{HOST}").replace(b"Max-Forwards", more + b"Max-Forwards")
        self.alice.send(invite, server.port)
        if more:
            return invite, None
        self.got(self.alice, "SIP/2.0 100")
        return invite, self.got(self.bob, "INVITE")

    def holder(self, server, kind="receiver"):
        """The worker that spins in a route."""
        def spinning():
            pids = [pid for pid in server.children() if kind in title(pid) and cpu_ticks(pid) >= before.get(pid, 0) + 5]
            return pids and pids[0]
        before = {pid: cpu_ticks(pid) for pid in server.children()}
        return wait_until(spinning, 10, f"a {kind} to be caught in a route")

    def kill_holder(self, server, kind="receiver", pid=None):
        pid = pid or self.holder(server, kind)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in server.children() and len(server.children()) >= 4, 5, "its successor")

    def ack(self, server, invite, response):
        text = invite.partition(b"\r\n\r\n")[0].replace(b"INVITE ", b"ACK ", 1).replace(b" INVITE", b" ACK")
        text = re.sub(rb"\r\nTo:[^\r\n]*", b"\r\nTo: " + header(response, "To"), text)
        self.alice.send(text + b"\r\n\r\n", server.port)

    def expect_clean(self, server, deaths=1):
        """All transactions end, nobody died but by us, and nothing was overwritten."""
        def ended():
            figures = server.statistics()
            return figures if figures["tm.finished"] >= figures["tm.transactions"] else None
        figures = wait_until(ended, 10, "the transactions to end")
        self.assertEqual(deaths, figures["core.worker_deaths"], server.log())
        self.assertEqual(0, figures["core.renewals"])
        self.assertEqual(0, figures["tm.no_memory"])

    def test_in_the_reply_route_of_a_provisional_response(self):
        with self.server() as server:
            invite, out = self.invite(server)
            self.bob.send(answer(out, 180, extra=LOOP), server.port)
            holder = self.holder(server)
            # These find it busy, in the other worker, and wait.
            self.bob.send(answer(out, 183), server.port)
            self.alice.send(invite, server.port)
            self.kill_holder(server, pid=holder)
            seen = {self.got(self.alice, "SIP/2.0 1")[8:11] for _ in range(2)}
            self.assertIn(b"183", seen, "what waited goes on")
            self.bob.send(answer(out, 200), server.port)
            while not self.got(self.alice, "SIP/2.0 ").startswith(b"SIP/2.0 200"):
                pass
            self.expect_clean(server)

    def test_in_the_reply_route_of_the_last_final_response(self):
        with self.server() as server:
            invite, out = self.invite(server)
            self.bob.send(answer(out, 486, extra=LOOP), server.port)
            self.kill_holder(server)
            # Bob may have his ACK and never send it again.
            final = self.got(self.alice, "SIP/2.0 500")
            self.bob.send(answer(out, 486), server.port)
            self.got(self.bob, "ACK")
            self.ack(server, invite, final)
            self.expect_clean(server)

    def test_in_the_reply_route_of_a_2xx(self):
        with self.server() as server:
            _, out = self.invite(server)
            self.bob.send(answer(out, 200, extra=LOOP), server.port)
            self.kill_holder(server)
            self.bob.send(answer(out, 200), server.port)
            self.got(self.alice, "SIP/2.0 200")
            self.expect_clean(server)

    def test_in_the_failure_route(self):
        with self.server() as server:
            invite, out = self.invite(server, "fails")
            self.bob.send(answer(out, 404), server.port)
            self.kill_holder(server)
            final = self.got(self.alice, "SIP/2.0 404")
            # Of the message in hand nothing left: Bob has no ACK and sends it again.
            self.bob.send(answer(out, 404), server.port)
            self.got(self.bob, "ACK")
            self.ack(server, invite, final)
            self.expect_clean(server)

    def test_in_the_failure_route_of_a_timeout(self):
        with self.server() as server:
            invite, _ = self.invite(server, "fails")
            self.kill_holder(server, "event")
            self.ack(server, invite, self.got(self.alice, "SIP/2.0 408"))
            self.expect_clean(server)

    def test_while_it_is_made(self):
        with self.server() as server:
            self.invite(server, more=b"X-Loop-In-Branch: yes\r\n")
            self.kill_holder(server)
            # The request comes again (here without what kills) and makes it anew.
            invite, out = self.invite(server)
            self.bob.send(answer(out, 486), server.port)
            self.got(self.bob, "ACK")
            self.ack(server, invite, self.got(self.alice, "SIP/2.0 486"))
            self.expect_clean(server)


if __name__ == "__main__":
    harness.main()
