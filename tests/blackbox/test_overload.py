# SPDX-License-Identifier: Apache-2.0
"""More than the server can do, and less memory than it wants: what is refused, what goes on, and that it recovers."""
import os
import signal
import threading
import time
import unittest
from pathlib import Path

import harness
from harness import HOST, Peer, Server, status, wait_until

FORWARD = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=1
statistics="@STATISTICS@"
overload_batches=4
overload_retry_after=2
loadmodule "sl.so"
request_route {
  if ($rU == "nowhere") {
    forward("127.255.255.255", 5060);
    exit;
  }
  forward("127.0.0.1", @CALLEE@);
}
"""

# Twelve workers that each fill most of a mebibyte and then stay busy with it.
GREEDY = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=12
max_while_loops=100000
overload_batches=0
loadmodule "sl.so"
loadmodule "textops.so"
request_route {
  if ($rm == "MESSAGE") {
    $var(i) = 0;
    while ($var(i) < 100) {
      append_hf("X-Pad: @PAD@\\r\\n");
      $var(i) = $var(i) + 1;
    }
    while ($var(i) < 20000) {
      $var(i) = $var(i) + 1;
    }
  }
  sl_send_reply("200", "OK");
}
"""


def with_tag(request):
    """The request inside of a dialog."""
    return request.replace(f"To: <sip:b@{HOST}>".encode(), f"To: <sip:b@{HOST}>;tag=2".encode())


def backlog(port):
    """Bytes in the receive queues of the port, as the kernel counts them."""
    rows = [row.split() for row in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(row[4].split(":")[1], 16) for row in rows if int(row[1].split(":")[1], 16) == port)


def stop_receiver(server):
    """SIGSTOP to the one receiver, and the wait until it has taken effect."""
    wait_until(server.receivers, 5, "the receiver to be there")
    pid, = server.receivers()
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: any(one == pid and state == "T" for one, state, _, _ in harness.process_rows()), 5, "the receiver to stop")


class Overload(unittest.TestCase):
    def server(self, callee):
        server = Server(FORWARD.replace("@CALLEE@", str(callee)))
        server.config.write_text(server.config.read_text().replace("@STATISTICS@", str(server.stat_file)))
        return server

    def test_backlog_refuses_new_requests_and_kernel_drops_are_counted(self):
        sent = 3000
        with Peer() as callee, Peer() as caller, self.server(callee.port) as server:
            arrived = []

            def drain():
                while not any(b"Call-ID: later" in one for one in arrived[-1:]):
                    arrived.append(callee.receive(30) or b"Call-ID: later: not in time")
            stop_receiver(server)
            new, old = caller.request("INVITE", server.port, "new"), with_tag(caller.request("INFO", server.port, "old"))
            for number in range(sent):
                caller.send(old if number % 4 == 0 else new, server.port)
            drainer = threading.Thread(target=drain)
            drainer.start()
            for pid in server.receivers():
                os.kill(pid, signal.SIGCONT)
            wait_until(lambda: backlog(server.port) == 0, 20, "the queue to run dry")
            # One more datagram brings the kernel's count of drops along, and finds the server open again.
            caller.send(caller.request("INVITE", server.port, "later"), server.port)
            drainer.join()
            self.assertIn(b"Call-ID: later\r\n", arrived[-1])
            figures = server.statistics()
            self.assertEqual(sent + 1, figures["core.rcv_requests"] + figures["net.kernel_drops"])
            self.assertGreater(figures["net.kernel_drops"], 0)
            self.assertGreater(figures["core.refused_overload"], 0)
            self.assertEqual(figures["core.refused_overload"], figures["core.sent_replies"])
            self.assertEqual(figures["core.rcv_requests"] - figures["core.refused_overload"], figures["core.fwd_requests"],
                             "everything that was not refused was forwarded, so all inside of dialogs")
            self.assertEqual(1, figures["core.overload_entered"])
            self.assertEqual(0, figures["core.overload"])
            self.assertIn("the receive queue does not run dry", server.log())

    def test_the_refusal_is_a_503_and_its_ack_ends_here(self):
        with Peer() as callee, Peer() as caller, self.server(callee.port) as server:
            stop_receiver(server)
            for number in range(150):
                caller.send(caller.request("INVITE", server.port, f"c{number}"), server.port)
            for pid in server.receivers():
                os.kill(pid, signal.SIGCONT)
            refusal = caller.receive(3)
            self.assertEqual(503, status(refusal or b""))
            after = [line for line in refusal.decode().split("\r\n") if line.startswith("Retry-After: ")]
            self.assertIn(after, (["Retry-After: 2"], ["Retry-After: 3"], ["Retry-After: 4"]))
            while callee.receive(0.3) is not None:
                pass
            lines = {line.split(":")[0]: line for line in refusal.decode().split("\r\n") if ":" in line}
            via = f"Via: SIP/2.0/UDP {caller.host}:{caller.port};branch=z9hG4bK-{lines['Call-ID'].split()[1]};rport"
            ack = (f"ACK sip:{HOST}:{server.port} SIP/2.0\r\n{via}\r\nMax-Forwards: 70\r\n"
                   f"{lines['From']}\r\n{lines['To']}\r\n{lines['Call-ID']}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n")
            caller.send(ack.encode(), server.port)
            self.assertIsNone(callee.receive(0.5), "the ACK to our own reply goes nowhere")
            self.assertEqual(1, server.statistics()["sl.received_ACKs"])

    def test_datagrams_that_cannot_leave_do_not_hold_up_others(self):
        with Peer() as callee, Peer() as caller, self.server(callee.port) as server:
            for number in range(20):
                uri = f"sip:{'nowhere' if number % 2 else 'b'}@{HOST}"
                caller.send(caller.request("OPTIONS", server.port, f"c{number}", uri), server.port)
            arrived = 0
            while callee.receive(0.5) is not None:
                arrived += 1
            self.assertEqual(10, arrived)
            figures = server.statistics()
            self.assertEqual(10, sum(value for name, value in figures.items() if name.startswith("net.send_")), figures)
            self.assertEqual(0, figures["core.worker_deaths"])


class Memory(unittest.TestCase):
    def test_eight_mebibytes_under_load(self):
        server = Server(GREEDY.replace("@PAD@", "x" * 8000), "-m", "8")
        server.args += ["-s", str(server.stat_file)]
        with server, Peer() as caller:
            wait_until(lambda: len(server.receivers()) == 12 and len(server.children()) == 14, 10, "all workers to be there")
            self.assertEqual(200, caller.ask(server.port))
            members = server.members()
            large = caller.request("MESSAGE", server.port, "large", body=b"x" * 40000)
            answers = {}
            end = time.monotonic() + 4
            number = 0
            while time.monotonic() < end:
                number += 1
                for _ in range(6):
                    caller.send(large, server.port)
                caller.send(caller.request("REGISTER", server.port, f"r{number}"), server.port)
                answer = caller.receive(0.02)
                while answer is not None:
                    answers[status(answer)] = answers.get(status(answer), 0) + 1
                    answer = caller.receive(0)
            figures = wait_until(lambda: (lambda got: got if got["shm.used"] < 2 << 20 else None)(server.statistics()), 20,
                                 "the memory of the load to be free again")
            self.assertGreater(figures["core.refused_memory"] + figures["core.arena_exhausted"], 0, f"the limit was never met: {answers}")
            self.assertLessEqual(set(answers), {200, 500, 503, None}, answers)
            self.assertEqual(members, server.members(), "a process died and was replaced")
            self.assertEqual(0, figures["core.worker_deaths"])
            while caller.receive(0.2) is not None:
                pass
            caller.send(caller.request("REGISTER", server.port, "last"), server.port)
            self.assertEqual(200, status(caller.receive(2) or b""))
            self.assertEqual(0, server.stop()[0], server.log()[-2000:])


if __name__ == "__main__":
    harness.main()
