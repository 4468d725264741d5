# SPDX-License-Identifier: Apache-2.0
"""shutdown_grace: what has begun may end, nothing new is begun, and the stop comes when it should."""
import signal
import time
import unittest

import harness
from harness import HOST, Peer, Server, status, wait_until
from test_transactions import answer

CONFIG = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=2
shutdown_grace=@GRACE@
loadmodule "tm.so"
loadmodule "sl.so"
request_route {
  if (method == "CANCEL") { if (!t_relay_cancel()) sl_send_reply("481", "No Such Call"); exit; }
  if (method == "OPTIONS") { sl_send_reply("200", "Alive"); exit; }
  $du = "sip:127.0.0.1:@BOB@";
  if (!t_relay()) sl_reply_error();
}
"""


class ShutdownGrace(unittest.TestCase):
    def setUp(self):
        self.alice, self.bob = Peer(), Peer()
        self.addCleanup(self.alice.socket.close)
        self.addCleanup(self.bob.socket.close)

    def server(self, grace):
        return Server(CONFIG.replace("@BOB@", str(self.bob.port)).replace("@GRACE@", str(grace)))

    def got(self, peer, what, seconds=2.0):
        message = peer.receive(seconds)
        self.assertIsNotNone(message, f"{what} expected, nothing came")
        self.assertTrue(message.startswith(what.encode()), message)
        return message

    def ring(self, server):
        """A call that rings; (INVITE as sent, as it reached bob)."""
        invite = self.alice.request("INVITE", server.port, "call", uri=f"sip:bob@{HOST}:{server.port}")
        self.alice.send(invite, server.port)
        self.got(self.alice, "SIP/2.0 100")
        out = self.got(self.bob, "INVITE")
        self.bob.send(answer(out, 180), server.port)
        self.got(self.alice, "SIP/2.0 180")
        return invite, out

    def close(self, server):
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "may end within" in server.log(), 2, "the server to say that it waits")

    def test_a_call_that_rings_is_answered_and_then_it_stops(self):
        with self.server(20) as server:
            invite, out = self.ring(server)
            self.close(server)
            self.assertEqual(503, self.alice.ask(server.port, "health"), "a health check sends the load elsewhere")
            with Peer() as carol:
                carol.send(carol.request("INVITE", server.port, "new", uri=f"sip:bob@{HOST}"), server.port)
                refused = carol.receive()
                self.assertEqual(503, status(refused))
                self.assertIn(b"\r\nRetry-After: ", refused)
                # In a dialog: not refused.
                bye = carol.request("BYE", server.port, "bye", uri=f"sip:bob@{HOST}").replace(b"To: <sip:b@127.0.0.1>",
                                                                                          b"To: <sip:b@127.0.0.1>;tag=x")
                carol.send(bye, server.port)
                self.bob.send(answer(self.got(self.bob, "BYE"), 200), server.port)
                self.assertEqual(200, status(carol.receive()))
            # What comes again of a running transaction is its own.
            self.alice.send(invite, server.port)
            self.got(self.alice, "SIP/2.0 180")
            self.assertIsNone(server.process.poll())
            self.bob.send(answer(out, 200), server.port)
            final = self.got(self.alice, "SIP/2.0 200")
            # Its ACK passes.
            to = final.split(b"\r\nTo: ")[1].split(b"\r\n")[0]
            ack = self.alice.request("ACK", server.port, "call-ack", uri=f"sip:bob@{HOST}").replace(b"<sip:b@127.0.0.1>", to)
            self.alice.send(ack, server.port)
            self.got(self.bob, "ACK")
            self.assertEqual(0, server.process.wait(3))
            self.assertIn("all transactions have ended", server.log())
            server.assert_nothing_left(self)

    def test_the_grace_ends(self):
        with self.server(1) as server:
            self.ring(server)
            start = time.monotonic()
            self.close(server)
            self.assertEqual(0, server.process.wait(4))
            self.assertGreater(time.monotonic() - start, 0.9)
            self.assertIn("1 transactions unfinished", server.log())
            server.assert_nothing_left(self)

    def test_a_second_signal_stops_at_once(self):
        with self.server(60) as server:
            self.ring(server)
            self.close(server)
            self.assertEqual(0, server.stop()[0])
            server.assert_nothing_left(self)

    def test_a_worker_that_dies_meanwhile_is_replaced(self):
        with self.server(20) as server:
            _, out = self.ring(server)
            self.close(server)
            before = server.receivers()
            for pid in before:
                harness.os.kill(pid, signal.SIGKILL)
            wait_until(lambda: len(server.receivers()) == 2 and not set(before) & set(server.receivers()), 3, "successors")
            self.bob.send(answer(out, 486), server.port)
            self.got(self.bob, "ACK")
            self.got(self.alice, "SIP/2.0 486")
            self.assertEqual(0, server.process.wait(3))

    def test_nothing_to_wait_for(self):
        with self.server(60) as server:
            self.assertEqual(200, self.alice.ask(server.port))
            self.assertEqual(0, server.stop()[0])
            server.assert_nothing_left(self)


if __name__ == "__main__":
    harness.main()
