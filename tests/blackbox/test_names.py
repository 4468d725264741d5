# SPDX-License-Identifier: Apache-2.0
"""Host names that are met at run time: a script waits for the name server, no worker does, and nobody is answered 503 for it. The
name server is the test's own."""
import os
import signal
import socket
import struct
import threading
import time
import unittest

import harness
from harness import Peer, Server, title, wait_until

CONFIG = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=2
dns_servers="127.0.0.1:@DNS@"
dns_try_ipv6=no
@MORE@
loadmodule "sl.so"
loadmodule "textops.so"
request_route {
  if (is_method("INFO")) { sl_send_reply("200", "OK"); exit; }
  forward();
}
"""


class NameServer:
    """Knows every name as 127.0.0.1, and no SRV; answers when it is not told to hold."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((harness.HOST, 0))
        self.socket.settimeout(0.02)
        self.port = self.socket.getsockname()[1]
        self.held = threading.Event()
        self.ended = threading.Event()
        self.asked = []
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.socket.close()

    def _serve(self):
        waiting = []
        while not self.ended.is_set():
            try:
                waiting.append(self.socket.recvfrom(1500))
                self.asked.append(waiting[-1][0])
            except TimeoutError:
                pass
            if self.held.is_set():
                continue
            for query, peer in waiting:
                self.socket.sendto(self._answer(query), peer)
            waiting.clear()

    @staticmethod
    def _answer(query):
        end = query.index(b"\0", 12) + 1
        kind = struct.unpack("!H", query[end:end + 2])[0]
        question = query[12:end + 4]
        if kind != 1:
            return query[:2] + struct.pack("!5H", 0x8183, 1, 0, 0, 0) + question
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(harness.HOST)
        return query[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + question + record


def server_for(names, more=""):
    server = Server(CONFIG.replace("@DNS@", str(names.port)).replace("@MORE@", more))
    server.args += ["-s", str(server.stat_file)]
    return server


def call_ids(peer, count, seconds):
    """Call-IDs of what arrives, until `count` different ones are there or nothing comes for so long."""
    seen = set()
    while len(seen) < count:
        message = peer.receive(seconds)
        if message is None:
            break
        seen.add(message.split(b"Call-ID: ")[1].split(b"\r\n")[0].decode())
    return seen


class Names(unittest.TestCase):
    def test_the_first_request_to_a_name_is_forwarded(self):
        with NameServer() as names, server_for(names) as server, Peer() as caller, Peer() as callee:
            names.held.set()
            caller.send(caller.request("OPTIONS", server.port, "first", f"sip:u@gw.example:{callee.port}"), server.port)
            wait_until(lambda: names.asked, 2, "the question")
            # Nobody waits but the script.
            start = time.monotonic()
            for number in range(20):
                caller.send(caller.request("INFO", server.port, f"i{number}"), server.port)
                self.assertEqual(200, harness.status(caller.receive()))
            self.assertLess(time.monotonic() - start, 1.0)
            self.assertEqual(1, server.statistics()["core.suspended"])
            names.held.clear()
            request = callee.receive()
            self.assertIsNotNone(request)
            self.assertTrue(request.startswith(f"OPTIONS sip:u@gw.example:{callee.port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1".encode()))
            self.assertIsNone(caller.receive(0), "no 503")
            caller.send(caller.request("OPTIONS", server.port, "second", f"sip:u@gw.example:{callee.port}"), server.port)
            self.assertEqual({"second"}, call_ids(callee, 1, 2))
            figures = server.statistics()
            self.assertEqual((0, 1), (figures["core.suspended"], figures["core.suspended_total"]))
            self.assertEqual(0, figures["core.dns_pending"])
            server.stop()
            server.assert_nothing_left(self)

    def test_a_silent_name_server_costs_a_503(self):
        with NameServer() as names, server_for(names, "dns_suspend_timeout=300") as server, Peer() as caller:
            names.held.set()
            start = time.monotonic()
            caller.send(caller.request("OPTIONS", server.port, "c", "sip:u@gw.example:5099"), server.port)
            answer = caller.receive()
            self.assertEqual(503, harness.status(answer))
            self.assertIn(b"\r\nRetry-After: ", answer)
            self.assertGreaterEqual(time.monotonic() - start, 0.3)
            self.assertLess(time.monotonic() - start, 1.0)
            self.assertEqual(1, server.statistics()["core.suspended_timed_out"])

    def test_a_killed_event_worker_loses_at_most_one(self):
        count = 100
        with NameServer() as names, server_for(names) as server, Peer() as caller, Peer() as callee:
            names.held.set()
            for number in range(count):
                caller.send(caller.request("OPTIONS", server.port, f"n{number}", f"sip:u@h{number % 70}.example:{callee.port}"), server.port)
            wait_until(lambda: server.statistics()["core.suspended"] == count, 5, "all to wait")
            worker = next(pid for pid in server.children() if "event worker" in title(pid))
            os.kill(worker, signal.SIGKILL)
            names.held.clear()
            arrived = call_ids(callee, count, 3)
            self.assertGreaterEqual(len(arrived), count - 1)
            self.assertIsNone(caller.receive(0), "no 503")
            wait_until(lambda: server.statistics()["core.suspended"] == 0, 2, "nothing to wait")
            server.stop()
            server.assert_nothing_left(self)


if __name__ == "__main__":
    harness.main()
