# SPDX-License-Identifier: Apache-2.0
"""Four children on one socket are woken first in, first out: they share paced datagrams evenly.

The pace is part of the claim: a sender that other programs hold up sends in bursts, and a burst is one worker's batch. So the
server and this test run before everything else on the machine (SCHED_RR) where the system allows it, as it does for root."""
import contextlib
import os
import re
import threading
import time
import unittest

import harness
from harness import ANSWER_ALL, Peer, Server, wait_until

DATAGRAMS, RATE, CHILDREN = 20000, 2000, 4


class Sharing(unittest.TestCase):
    def setUp(self):
        before = os.sched_getscheduler(0), os.sched_getparam(0)
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))  # inherited by the threads and the server
            self.addCleanup(os.sched_setscheduler, 0, *before)

    def test_children_share_within_ten_percent(self):
        server = Server(ANSWER_ALL.replace("children=2", f"children={CHILDREN}"))
        server.args += ["-s", str(server.stat_file)]
        with server, Peer() as peer:
            answered = 0

            def collect():
                nonlocal answered
                while answered < DATAGRAMS and peer.receive(3) is not None:
                    answered += 1

            collector = threading.Thread(target=collect)
            collector.start()
            datagram = peer.request("OPTIONS", server.port)
            start = time.monotonic()
            for number in range(DATAGRAMS):
                ahead = start + number / RATE - time.monotonic()
                if ahead > 0:
                    time.sleep(ahead)
                peer.send(datagram, server.port)
            collector.join()
            self.assertEqual(DATAGRAMS, answered)
            wait_until(lambda: server.statistics().get("core.rcv_requests", 0) >= DATAGRAMS, 5, "all datagrams to be counted")
            shares = {name: value for name, value in server.statistics().items() if re.match(r'core\.rcv_requests\{worker="', name) and value}
            self.assertEqual(CHILDREN, len(shares), shares)
            self.assertEqual(DATAGRAMS, sum(shares.values()), shares)
            self.assertLessEqual(max(shares.values()) - min(shares.values()), 0.1 * min(shares.values()), shares)


if __name__ == "__main__":
    harness.main()
