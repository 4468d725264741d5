# SPDX-License-Identifier: Apache-2.0
"""The messages of RFC 4475 and RFC 5118 through the live server: forwarded, answered or dropped as expected.json says."""
import contextlib
import json
import re
import unittest

import harness
from harness import Peer, Server, status

FORWARD_ALL = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=1
loadmodule "sl.so"
loadmodule "maxfwd.so"
# baddn has no blank line: the receive checks would drop it before anybody could answer 400.
receive_checks=no
loadmodule "sanity.so"
request_route {
  if (!sanity_check("2050023", "7")) { exit; }
  if (!mf_process_maxfwd_header("70")) { sl_send_reply("483", "Too Many Hops"); exit; }
  forward("127.0.0.1", @CALLEE@);
}
"""
FOLDER = harness.TOP / "tests/torture"
CALLER = "127.0.0.2"  # answers go to the source address, port of the top Via


def body_of(message):
    return message.partition(b"\r\n\r\n")[2]


def content_length(message):
    found = re.search(rb"^(?:Content-Length|l)[ \t]*:\s*(\d+)", message.partition(b"\r\n\r\n")[0], re.M | re.I)
    return int(found.group(1)) if found else None


class Torture(unittest.TestCase):
    def outcome(self, server, name, message):
        """Sends it and then a marker: with one worker whatever the message caused comes before the marker."""
        top_via = re.search(rb"^(?:v|Via)\s*:[^,;\r\n]*?\s([^\s;,/]+?)\s*(?::\s*(\d+))?\s*(?:[;,\r]|$)", message, re.M | re.I)
        port = int(top_via.group(2)) if top_via and top_via.group(2) else 5060
        with contextlib.ExitStack() as stack:
            more = [stack.enter_context(Peer(port, CALLER))] if port != self.caller.port and 0 < port < 65536 else []
            self.caller.send(message, server.port)
            self.caller.send(self.caller.request("OPTIONS", server.port, f"marker-{name}", uri="sip:marker@127.0.0.1"), server.port)
            seen = None
            while True:
                got = self.callee.receive(2)
                self.assertIsNotNone(got, f"{name}: the marker did not come through:\n{server.log()[-2000:]}")
                if got.startswith(b"OPTIONS sip:marker@"):
                    break
                seen = ("forward", got)
            for peer in (self.caller, *more):
                answer = peer.receive(0)
                while answer is not None:
                    if status(answer) is not None and f"marker-{name}".encode() not in answer:
                        seen = ("forward-response" if message.startswith(b"SIP/2.0") else str(status(answer)), answer)
                    answer = peer.receive(0)
        return seen or ("drop", b"")

    def check_forwarded(self, message, got, trimmed):
        """Our Via on top of theirs, start line's method kept, body untouched."""
        self.assertEqual(message.lstrip(b"\r\n").split(None, 1)[0], got.split(None, 1)[0])
        vias = re.findall(rb"^(?:Via|v)\s*:", got.partition(b"\r\n\r\n")[0], re.M | re.I)
        self.assertGreaterEqual(len(vias), 2)
        body = body_of(message)
        if trimmed or (content_length(message) is not None and content_length(message) < len(body)):
            body = body[:content_length(message)]
        self.assertEqual(body, body_of(got))

    def test_every_message(self):
        table = json.loads((FOLDER / "expected.json").read_text())
        callee_port = harness.free_port(5070)
        config = FORWARD_ALL.replace("@CALLEE@", str(callee_port))
        with Server(config) as server, Peer(callee_port) as self.callee, Peer(harness.free_port(5060), CALLER) as self.caller:
            for name, row in table.items():
                with self.subTest(name, note=row["note"]):
                    message = (FOLDER / row["file"]).read_bytes()
                    kind, got = self.outcome(server, name, message)
                    classes = {kind, f"{kind[0]}xx"} if kind.isdigit() else {kind}
                    if kind == "forward" and "forward-trimmed" in row["expect"]:
                        classes.add("forward-trimmed")
                    self.assertTrue(classes & set(row["expect"]), f"{name}: {kind}, expected {row['expect']} ({row['note']})\n{got[:400]!r}")
                    if kind == "forward":
                        self.check_forwarded(message, got, "forward-trimmed" in row["expect"])
            self.assertEqual(0, server.stop()[0], server.log())
            server.assert_nothing_left(self)


if __name__ == "__main__":
    harness.main()
