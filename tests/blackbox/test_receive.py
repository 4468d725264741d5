# SPDX-License-Identifier: Apache-2.0
"""The receive path from outside: what is no SIP costs nothing, what is forwarded stays whole, answers find their way back and
strangers' answers do not."""
import re
import unittest

import harness
from harness import HOST, Peer, Server, free_port, status

FORWARD = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=1
@SETTINGS@
loadmodule "sl.so"
loadmodule "maxfwd.so"
request_route {
  if (method == "OPTIONS") { sl_send_reply("200", "OK"); exit; }
  mf_process_maxfwd_header("70");
  forward("127.0.0.1", @CALLEE@);
}
"""


def vias(message):
    """Values of the Via lines, top first."""
    return re.findall(rb"^(?:Via|v)[ \t]*:[ \t]*([^\r\n]*)", message.partition(b"\r\n\r\n")[0], re.M | re.I)


def body_of(message):
    return message.partition(b"\r\n\r\n")[2]


def answer(request, code=200, reason="OK", body=b""):
    """A response with the header fields a callee copies, in their order."""
    keep = re.findall(rb"^(?:Via|From|To|Call-ID|CSeq|Record-Route)\s*:[^\r\n]*\r\n", request.partition(b"\r\n\r\n")[0] + b"\r\n", re.M | re.I)
    return f"SIP/2.0 {code} {reason}\r\n".encode() + b"".join(keep) + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


class Receive(unittest.TestCase):
    def setUp(self):
        self.callee = Peer(free_port(5070))
        self.caller = Peer()
        self.addCleanup(self.callee.socket.close)
        self.addCleanup(self.caller.socket.close)

    def server(self, settings=""):
        return Server(FORWARD.replace("@CALLEE@", str(self.callee.port)).replace("@SETTINGS@", settings))

    def forwarded(self, server, request):
        self.caller.send(request, server.port)
        got = self.callee.receive()
        self.assertIsNotNone(got, server.log())
        return got

    def test_what_is_no_sip_is_dropped_without_an_answer(self):
        with self.server() as server:
            for junk in (b"", b"\0", b"\r\n\r\n", b"\r\n", b"\0\0\0\0", b"x", b"hello\r\n\r\n", b"\xff" * 1400, b"INVITE", b"SIP/2.0 200",
                         b"INVITE sip:a@b SIP/2.0\r\n", b"\r\n" * 700):
                self.caller.send(junk, server.port)
            self.assertEqual(200, self.caller.ask(server.port, "after-junk"))
            self.assertIsNone(self.callee.receive(0), "junk was forwarded")

    def test_request_and_response_keep_every_byte(self):
        body = bytes(range(256)) * 8
        with self.server() as server:
            request = self.caller.request("MESSAGE", server.port, "whole", body=body).replace(
                b"Max-Forwards:", b"X-Unknown: a,\r\n  folded ; \"q\\\"uoted\"\r\nSubject:\r\nMax-Forwards:")
            got = self.forwarded(server, request)
            self.assertEqual(body, body_of(got))
            self.assertIn(b"X-Unknown: a,\r\n  folded ; \"q\\\"uoted\"\r\nSubject:\r\n", got)
            self.assertIn(b"Max-Forwards: 69\r\n", got)
            self.assertEqual(2, len(vias(got)))
            self.assertRegex(vias(got)[0], rb"^SIP/2\.0/UDP 127\.0\.0\.1(:%d)?;(.*;)?branch=z9hG4bK" % server.port)
            self.assertIn(f"rport={self.caller.port}".encode(), vias(got)[1])
            self.callee.send(answer(got, body=body), server.port)
            back = self.caller.receive()
            self.assertEqual(200, status(back))
            self.assertEqual(1, len(vias(back)))
            self.assertIn(b"branch=z9hG4bK-whole", vias(back)[0])
            self.assertEqual(body, body_of(back))

    def test_large_body(self):
        body = bytes(i * 7 & 0xFF for i in range(60000))
        with self.server() as server:
            self.assertEqual(body, body_of(self.forwarded(server, self.caller.request("MESSAGE", server.port, "large", body=body))))

    def test_bytes_after_the_body_are_not_relayed(self):
        with self.server() as server:
            got = self.forwarded(server, self.caller.request("MESSAGE", server.port, "tail", body=b"body") + b"INVITE sip:x@y SIP/2.0\r\n")
            self.assertEqual(b"body", body_of(got))

    def test_retransmission_has_the_same_branch(self):
        with self.server() as server:
            request = self.caller.request("INVITE", server.port, "again")
            first = vias(self.forwarded(server, request))[0]
            self.assertEqual(first, vias(self.forwarded(server, request))[0])
            cancel = request.replace(b"INVITE ", b"CANCEL ", 1).replace(b"1 INVITE", b"1 CANCEL")
            self.assertEqual(first, vias(self.forwarded(server, cancel))[0], "RFC 3261 16.11: a CANCEL follows its INVITE")
            other = vias(self.forwarded(server, self.caller.request("INVITE", server.port, "other")))[0]
            self.assertNotEqual(first, other)

    def stray(self, server):
        """Sends a response whose top Via names the server but was never written by it; what the caller got of it."""
        response = (f"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {HOST}:{server.port};branch=z9hG4bK-forged\r\n"
                    f"Via: SIP/2.0/UDP {HOST}:{self.caller.port};branch=z9hG4bK-x\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=2\r\n"
                    f"Call-ID: stray\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n").encode()
        self.callee.send(response, server.port)
        self.caller.send(self.caller.request("OPTIONS", server.port, "marker"), server.port)
        first = self.caller.receive()
        self.assertIsNotNone(first, server.log())
        return b"Call-ID: stray" in first

    def test_stray_response_is_not_relayed(self):
        with self.server() as server:
            self.assertFalse(self.stray(server))

    def test_stray_response_is_relayed_when_asked_for(self):
        with self.server("relay_stray_replies=yes") as server:
            self.assertTrue(self.stray(server))

    def test_forged_second_via_is_refused(self):
        with self.server() as server, Peer() as victim:
            got = self.forwarded(server, self.caller.request("INVITE", server.port, "forge"))
            bad = answer(got).replace(f"{HOST}:{self.caller.port}".encode(), f"{HOST}:{victim.port}".encode())
            self.callee.send(bad, server.port)
            self.assertEqual(200, self.caller.ask(server.port, "mark"))
            self.assertIsNone(victim.receive(0), "the server was used as a reflector")

    def test_icmp_errors_are_survived(self):
        with self.server() as server:
            self.callee.socket.close()
            for number in range(20):
                self.caller.send(self.caller.request("INVITE", server.port, f"gone{number}"), server.port)
                self.assertEqual(200, self.caller.ask(server.port, f"alive{number}"))

    def test_receive_checks_on_and_off(self):
        # A bare CR in a header: refused by the checks, the parser's own business without them.
        for setting, wanted in (("receive_checks=yes", None), ("receive_checks=no", 200)):
            with self.subTest(setting), self.server(setting) as server:
                odd = self.caller.request("OPTIONS", server.port, "bare").replace(b"Max-Forwards", b"Subject: a\rb\r\nMax-Forwards")
                self.caller.send(odd, server.port)
                self.caller.send(self.caller.request("OPTIONS", server.port, "mark"), server.port)
                first = self.caller.receive()
                self.assertIsNotNone(first, server.log())
                self.assertEqual(wanted is not None, b"Call-ID: bare\r\n" in first, first)


if __name__ == "__main__":
    harness.main()
