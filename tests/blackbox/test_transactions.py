# SPDX-License-Identifier: Apache-2.0
"""Module tm in the real server: retransmissions, failure responses, CANCEL, forking in parallel and one after the other, timers
that fire in other processes, a worker that dies, calls of sipp. What needs a clock that jumps is in the flows."""
import os
import re
import signal
import time
import unittest

import harness
from harness import HOST, Peer, Server, end_sipp, free_port, start_sipp, status, udp_bound, wait_until

CONFIG = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=2
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
modparam("tm", "fr_timer", @FR@)
modparam("tm", "fr_inv_timer", @FR_INV@)
request_route {
  if (method == "CANCEL") { if (!t_relay_cancel()) sl_send_reply("481", "No Such Call"); exit; }
  if (method == "ACK") { if (t_check_trans()) exit; $du = "sip:127.0.0.1:@A@"; t_relay(); exit; }
  t_on_reply("REPLY");
  t_on_branch("BRANCH");
  if ($rU == "both") append_branch("sip:both@127.0.0.1:@B@");
  if ($rU == "serial" || $rU == "timeout") t_on_failure("NEXT");
  if ($rU == "here") { t_newtran(); t_reply("486", "Busy Here"); exit; }
  $du = "sip:127.0.0.1:@A@";
  if ($rU == "both") { $du = $null; $ru = "sip:both@127.0.0.1:@A@"; }
  if (!t_relay()) sl_reply_error();
}
branch_route[BRANCH] { append_hf("X-Branch: $T_branch_idx\\r\\n"); }
onreply_route[REPLY] { append_hf("X-Reply: $rs\\r\\n"); }
failure_route[NEXT] {
  if (t_is_canceled()) exit;
  if (t_branch_timeout() || t_check_status("486|603")) {
    t_on_branch("BRANCH");
    $ru = "sip:next@127.0.0.1:@B@";
    $du = "sip:127.0.0.1:@B@";
    t_relay();
  }
}
"""


def header(message, name):
    """Value of the first header field of that name; None when there is none."""
    found = re.search(rb"^" + name.encode() + rb"[ \t]*:[ \t]*([^\r\n]*)", message, re.M | re.I)
    return found and found[1]


def answer(request, code, tag="callee", extra=b""):
    """A response with what a callee copies, and its To tag."""
    keep = b"".join(re.findall(rb"^(?:Via|From|Call-ID|CSeq)[ \t]*:[^\r\n]*\r\n", request, re.M | re.I))
    to = header(request, "To")
    tagged = to if b";tag=" in to or code == 100 else to + b";tag=" + tag.encode()
    return b"SIP/2.0 %d Some Reason\r\n%bTo: %b\r\n%bContent-Length: 0\r\n\r\n" % (code, keep, to if code == 100 else tagged, extra)


class Transactions(unittest.TestCase):
    fr, fr_inv = 30_000, 120_000

    def setUp(self):
        self.alice, self.bob, self.carol = Peer(), Peer(), Peer()
        for peer in (self.alice, self.bob, self.carol):
            self.addCleanup(peer.socket.close)

    def server(self, fr=30_000, fr_inv=120_000):
        config = CONFIG.replace("@A@", str(self.bob.port)).replace("@B@", str(self.carol.port))
        return Server(config.replace("@FR@", str(fr)).replace("@FR_INV@", str(fr_inv)))

    def invite(self, server, user, call_id):
        request = self.alice.request("INVITE", server.port, call_id, uri=f"sip:{user}@{HOST}:{server.port}")
        self.alice.send(request, server.port)
        return request

    def got(self, peer, what, seconds=2.0):
        """The next message of that peer; it must begin with `what`."""
        message = peer.receive(seconds)
        self.assertIsNotNone(message, f"{what!r} expected, nothing came")
        self.assertTrue(message.startswith(what.encode()), message)
        return message

    def no_more(self, *peers):
        for peer in peers:
            self.assertIsNone(peer.receive(0.15))

    def ack(self, server, invite, response):
        """The ACK to a failure response: the INVITE's branch."""
        text = invite.partition(b"\r\n\r\n")[0].replace(b"INVITE ", b"ACK ", 1).replace(b" INVITE", b" ACK")
        text = re.sub(rb"\r\nTo:[^\r\n]*", b"\r\nTo: " + header(response, "To"), text)
        self.alice.send(text + b"\r\n\r\n", server.port)

    def test_call_with_its_retransmissions(self):
        with self.server() as server:
            invite = self.invite(server, "bob", "t1")
            self.got(self.alice, "SIP/2.0 100 trying")
            out = self.got(self.bob, "INVITE")
            self.assertEqual(b"0", header(out, "X-Branch"))
            self.bob.send(answer(out, 180), server.port)
            self.assertEqual(b"180", header(self.got(self.alice, "SIP/2.0 180"), "X-Reply"))
            # The INVITE again: answered from what was sent last, and not sent on.
            self.alice.send(invite, server.port)
            self.got(self.alice, "SIP/2.0 180")
            self.bob.send(answer(out, 200), server.port)
            self.got(self.alice, "SIP/2.0 200")
            # A 2xx that comes again is passed again; the INVITE again is absorbed (RFC 6026).
            self.bob.send(answer(out, 200), server.port)
            self.got(self.alice, "SIP/2.0 200")
            self.alice.send(invite, server.port)
            self.no_more(self.alice, self.bob)

    def test_failure_is_acked_hop_by_hop_and_sent_until_acked(self):
        with self.server() as server:
            invite = self.invite(server, "bob", "t2")
            out = self.got(self.bob, "INVITE")
            self.bob.send(answer(out, 404), server.port)
            ack = self.got(self.bob, "ACK")
            self.assertEqual(header(out, "Via"), header(ack, "Via"))
            self.assertIn(b";tag=callee", header(ack, "To"))
            self.got(self.alice, "SIP/2.0 100")
            self.got(self.alice, "SIP/2.0 404")
            # Timer G, in the timer worker.
            final = self.got(self.alice, "SIP/2.0 404")
            # The callee did not get our ACK.
            self.bob.send(answer(out, 404), server.port)
            self.got(self.bob, "ACK")
            self.ack(server, invite, final)
            time.sleep(1.2)
            self.no_more(self.alice, self.bob)

    def test_request_is_sent_again_until_answered(self):
        with self.server() as server:
            self.alice.send(self.alice.request("OPTIONS", server.port, "t3", uri=f"sip:bob@{HOST}"), server.port)
            first, second = self.got(self.bob, "OPTIONS"), self.got(self.bob, "OPTIONS")
            self.assertEqual(first, second)
            self.bob.send(answer(first, 200), server.port)
            self.got(self.alice, "SIP/2.0 200")
            time.sleep(1.2)
            self.no_more(self.alice, self.bob)

    def test_cancel(self):
        with self.server() as server:
            invite = self.invite(server, "bob", "t4")
            out = self.got(self.bob, "INVITE")
            self.got(self.alice, "SIP/2.0 100")
            self.bob.send(answer(out, 180), server.port)
            self.got(self.alice, "SIP/2.0 180")
            self.alice.send(invite.replace(b"INVITE ", b"CANCEL ", 1).replace(b" INVITE", b" CANCEL"), server.port)
            self.assertIn(b"CANCEL", header(self.got(self.alice, "SIP/2.0 200"), "CSeq"))
            cancel = self.got(self.bob, "CANCEL")
            self.assertEqual(header(out, "Via"), header(cancel, "Via"))
            self.bob.send(answer(cancel, 200), server.port)
            self.bob.send(answer(out, 487), server.port)
            self.got(self.bob, "ACK")
            self.ack(server, invite, self.got(self.alice, "SIP/2.0 487"))
            self.no_more(self.alice, self.bob)
            stranger = self.alice.request("CANCEL", server.port, "t4b", uri=f"sip:bob@{HOST}")
            self.alice.send(stranger, server.port)
            self.got(self.alice, "SIP/2.0 481")

    def test_cancel_waits_for_a_provisional_response(self):
        with self.server() as server:
            invite = self.invite(server, "bob", "t5")
            out = self.got(self.bob, "INVITE")
            self.got(self.alice, "SIP/2.0 100")
            self.alice.send(invite.replace(b"INVITE ", b"CANCEL ", 1).replace(b" INVITE", b" CANCEL"), server.port)
            self.got(self.alice, "SIP/2.0 200")
            self.assertIsNone(self.bob.receive(0.2))
            self.bob.send(answer(out, 100), server.port)
            self.got(self.bob, "CANCEL")

    def test_parallel_forking(self):
        with self.server() as server:
            self.invite(server, "both", "t6")
            self.got(self.alice, "SIP/2.0 100")
            at_bob, at_carol = self.got(self.bob, "INVITE"), self.got(self.carol, "INVITE")
            self.assertEqual([b"0", b"1"], [header(at_bob, "X-Branch"), header(at_carol, "X-Branch")])
            self.bob.send(answer(at_bob, 180, "bob"), server.port)
            self.carol.send(answer(at_carol, 183, "carol"), server.port)
            rings = {self.got(self.alice, "SIP/2.0 18")[8:11] for _ in range(2)}
            self.assertEqual({b"180", b"183"}, rings)
            self.carol.send(answer(at_carol, 200, "carol"), server.port)
            self.assertIn(b"tag=carol", header(self.got(self.alice, "SIP/2.0 200"), "To"))
            cancel = self.got(self.bob, "CANCEL")
            self.bob.send(answer(cancel, 200), server.port)
            self.bob.send(answer(at_bob, 487, "bob"), server.port)
            self.got(self.bob, "ACK")
            self.no_more(self.alice, self.bob, self.carol)

    def test_best_response_of_a_fork(self):
        with self.server() as server:
            self.invite(server, "both", "t7")
            self.got(self.alice, "SIP/2.0 100")
            at_bob, at_carol = self.got(self.bob, "INVITE"), self.got(self.carol, "INVITE")
            challenge = b'WWW-Authenticate: Digest realm="%b", nonce="1"\r\n'
            self.bob.send(answer(at_bob, 401, "bob", challenge % b"bob"), server.port)
            self.got(self.bob, "ACK")
            self.assertIsNone(self.alice.receive(0.15))
            self.carol.send(answer(at_carol, 401, "carol", challenge % b"carol"), server.port)
            self.got(self.carol, "ACK")
            final = self.got(self.alice, "SIP/2.0 401")
            self.assertEqual({b"bob", b"carol"}, set(re.findall(rb'realm="(\w+)"', final)))

    def test_serial_forking_after_busy(self):
        with self.server() as server:
            self.invite(server, "serial", "t8")
            self.got(self.alice, "SIP/2.0 100")
            self.bob.send(answer(self.got(self.bob, "INVITE"), 486), server.port)
            self.got(self.bob, "ACK")
            second = self.got(self.carol, "INVITE sip:next@")
            self.assertEqual(b"1", header(second, "X-Branch"))
            self.carol.send(answer(second, 200), server.port)
            self.got(self.alice, "SIP/2.0 200")
            self.no_more(self.alice, self.bob)

    def test_serial_forking_after_a_timeout(self):
        with self.server(fr=700) as server:
            self.invite(server, "timeout", "t9")
            self.got(self.alice, "SIP/2.0 100")
            self.got(self.bob, "INVITE")
            self.got(self.bob, "INVITE")
            # The failure route runs in the event worker: the timer worker has no script.
            second = self.got(self.carol, "INVITE sip:next@")
            self.carol.send(answer(second, 486), server.port)
            self.got(self.carol, "ACK")
            self.got(self.alice, "SIP/2.0 486")

    def test_nobody_answers(self):
        with self.server(fr=600) as server:
            self.invite(server, "bob", "t10")
            self.got(self.alice, "SIP/2.0 100")
            self.got(self.alice, "SIP/2.0 408")
            self.alice.send(self.alice.request("OPTIONS", server.port, "t11", uri=f"sip:bob@{HOST}"), server.port)
            time.sleep(1.0)
            # RFC 4320: no 408 to what is no INVITE. (The one of the INVITE comes again, it was not ACKed.)
            for message in iter(lambda: self.alice.receive(0), None):
                self.assertIn(b"INVITE", header(message, "CSeq"))

    def test_answer_made_here(self):
        with self.server() as server:
            invite = self.invite(server, "here", "t12")
            final = self.got(self.alice, "SIP/2.0 486")
            self.alice.send(invite, server.port)
            self.assertEqual(final, self.got(self.alice, "SIP/2.0 486"))
            self.ack(server, invite, final)
            time.sleep(0.8)
            self.no_more(self.alice, self.bob)

    def test_transaction_outlives_the_worker_that_made_it(self):
        with self.server() as server:
            self.invite(server, "bob", "t13")
            out = self.got(self.bob, "INVITE")
            self.got(self.alice, "SIP/2.0 100")
            for pid in server.receivers():
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: len(server.receivers()) == 2, 5, "the successors")
            self.bob.send(answer(out, 180), server.port)
            self.got(self.alice, "SIP/2.0 180")
            self.bob.send(answer(out, 200), server.port)
            self.got(self.alice, "SIP/2.0 200")


class Calls(unittest.TestCase):
    calls, rate = int(os.environ.get("TM_CALLS", "1000")), int(os.environ.get("TM_RATE", "200"))

    def test_calls_of_sipp(self):
        callee_port, caller_port = free_port(5070), free_port(5080)
        # One worker: with two, a 180 and the 200 right behind it may overtake each other, which sipp calls unexpected.
        config = CONFIG.replace("children=2", "children=1")
        config = config.replace("@A@", str(callee_port)).replace("@B@", str(callee_port)).replace("@FR@", "30000")
        server = Server(config.replace("@FR_INV@", "120000"))
        server.args += ["-s", str(server.stat_file)]
        with server:
            callee = start_sipp("-sn", "uas", "-p", str(callee_port), "-m", str(self.calls), "-trace_err")
            self.addCleanup(end_sipp, callee)
            wait_until(lambda: udp_bound(callee_port), 5, "the callee to listen")
            caller = start_sipp("-sn", "uac", f"{HOST}:{server.port}", "-p", str(caller_port), "-m", str(self.calls), "-r", str(self.rate),
                                "-d", "50", "-timeout", "60", "-trace_err")
            self.addCleanup(end_sipp, caller)
            self.assertEqual(0, caller.wait(90), "the caller saw a failed call")
            self.assertEqual(0, callee.wait(10), "the callee saw a failed call")
            figures = server.statistics()
            self.assertEqual(2 * self.calls, figures["tm.transactions"])
            self.assertEqual(0, figures["tm.waiting_full"] + figures["tm.no_memory"])


if __name__ == "__main__":
    harness.main()
