# SPDX-License-Identifier: Apache-2.0
"""What the chaos tests are made of: load whose every request is accounted for, a server that dies on command, and who kills it."""
import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "blackbox"))

import harness
from harness import HOST, Peer, Server, free_port, status, wait_until

# A line of `ser-load --record`; times in seconds of the monotonic clock, 0: never.
Request = namedtuple("Request", "number due sent at_callee answered replies status")

CONFIG = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=@CHILDREN@
maxbuffer=4194304
crash_quarantine_deaths=0
disable_core_dump=@NO_CORES@
loadmodule "sl.so"
loadmodule "maxfwd.so"
@LOADMODULE@
request_route {
@DEADLY@
  if ($rU == "bob") {
    mf_process_maxfwd_header("10");
    forward("127.0.0.1", @CALLEE@);
    exit;
  }
  sl_send_reply("200", "OK");
}
"""

DEADLY = """  if ($hdr(X-Deadly) != $null) {
    deadly("$hdr(X-Deadly)");
    sl_send_reply("202", "Survived");
    exit;
  }
  if (!locked()) {
    sl_send_reply("500", "Locked");
    exit;
  }
"""


def prefer():
    """This process and those it starts come before what else the machine does, where that is allowed: the bars are for a quiet machine."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)


class DyingServer(Server):
    """The server under test; `deadly`: with the module that dies on command; `cores`: they are written, into its folder."""

    def __init__(self, children=3, deadly=True, cores=False, args=()):
        port, self.callee = free_port(5060), free_port(5070)
        config = CONFIG.replace("@DEADLY@\n", DEADLY if deadly else "").replace("@CALLEE@", str(self.callee))
        config = config.replace("@LOADMODULE@\n", f'loadmodule "{harness.deadly_module()}"\n' if deadly else "")
        config = config.replace("@CHILDREN@", str(children)).replace("@NO_CORES@", "no" if cores else "yes")
        super().__init__(config, *args, port=port)
        self.args += ["-s", str(self.stat_file)]
        self.cores = cores
        self.wanted = children

    def start(self):
        """Starts it, for the first time or again."""
        # Inherited by the server.
        before = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (before[1] if self.cores else 0, before[1]))
        try:
            Server.__enter__(self)
        finally:
            resource.setrlimit(resource.RLIMIT_CORE, before)
        wait_until(lambda: len(self.receivers()) == self.wanted, 5, "all workers to be there")

    def __enter__(self):
        self.start()
        return self

    def cells(self):
        """Accounts of the segment: {name: number} of what counts cells and bytes in use."""
        return {name: value for name, value in self.statistics().items()
                if name in ("shm.cells", "shm.used") or name.startswith("shm.used{")}


def kernel_drops(*ports):
    """Datagrams the kernel dropped at the sockets of these ports because they were full."""
    total = 0
    for row in Path("/proc/net/udp").read_text().splitlines()[1:]:
        fields = row.split()
        if int(fields[1].rsplit(":", 1)[1], 16) in ports:
            total += int(fields[-1])
    return total


class Load:
    """ser-load at a fixed rate in the background: half of the requests answered by the server, half forwarded and answered by our
    callee. No retransmissions. `with Load(server, 2000, 10) as load: …; load.requests` accounts for each."""

    def __init__(self, server, rate, seconds, timeout_ms=8000, accounted=True):
        self.accounted = accounted  # False: what comes back may be damaged, nobody looks at it
        self.server, self.rate, self.seconds, self.timeout_ms = server, rate, seconds, timeout_ms
        self.parts, self.requests, self.drops, self.duplicates, self.sent = [], [], 0, 0, 0

    def __enter__(self):
        tool = harness.load_tool()
        for workload, more in (("w6", []), ("w1", ["--callee", f"{HOST}:{self.server.callee}"])):
            record = self.server.folder / f"{workload}-{time.monotonic_ns()}"
            rate = self.rate / 2
            args = [tool, "--workload", workload, "--to", f"{HOST}:{self.server.port}", "--rate", str(rate), "--count",
                    str(int(rate * self.seconds)), "--seconds", str(self.seconds + 30), "--timeout", str(self.timeout_ms),
                    "--sockets", "4", "--allow-lost", "100000000", "--allow-duplicates", "--no-spin", "--quiet", "--record",
                    str(record), *more]
            self.parts.append((record, subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)))
        self.end = time.monotonic() + self.seconds
        return self

    def __exit__(self, kind, value, trace):
        for record, process in self.parts:
            if kind is not None:
                process.kill()
            out, error = process.communicate()
            if kind is not None or not self.accounted:
                continue
            if process.returncode != 0:
                raise AssertionError(f"the load tool failed: {error}{out}")
            figures = json.loads(out)
            self.drops += figures["drops"]
            self.duplicates += figures["duplicates"]
            self.sent += figures["sent"]
            for line in record.read_text().splitlines():
                number, due, sent, at_callee, answered, replies, code = map(int, line.split())
                self.requests.append(Request(number, due / 1e9, sent / 1e9, at_callee / 1e9, answered / 1e9, replies, code))
            record.unlink()

    def unanswered(self):
        return sorted((r for r in self.requests if r.answered == 0), key=lambda r: r.sent)

    def late(self, limit):
        """Those that waited longer than `limit` seconds for their answer."""
        return sorted((r for r in self.requests if r.answered and r.answered - r.sent > limit), key=lambda r: r.sent)

    def longest(self):
        """Longest wait of an answered request in seconds."""
        return max((r.answered - r.sent for r in self.requests if r.answered), default=0.0)

    def sender_lag(self):
        """How late the load tool itself was at worst: what the machine, not the server, did."""
        return max((r.sent - r.due for r in self.requests), default=0.0)


class Deadly:
    """Sends the messages that kill, each with header fields of its own so that it looks like no other."""

    def __init__(self, server, seed):
        self.server, self.random, self.peer, self.count = server, random.Random(seed), Peer(), 0

    def close(self):
        self.peer.socket.close()

    def message(self, how):
        self.count += 1
        own = "".join(self.random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(8))
        plain = self.peer.request("OPTIONS", self.server.port, f"deadly-{self.count}-{own}")
        return plain.replace(b"Contact:", f"X-Deadly: {how}\r\nX-{own}: 1\r\nContact:".encode(), 1)

    def send(self, how):
        self.peer.send(self.message(how), self.server.port)


def pair_losses(unanswered, deaths, reach=0.5):
    """Lays each unanswered request to a death of its own that came at most `reach` seconds after it was sent (it waited in the
    kernel's queue before). What is left has no excuse."""
    left, free = [], sorted(deaths)
    for request in unanswered:
        match = next((d for d in free if d >= request.sent - 0.002 and d - request.sent < reach), None)
        if match is None:
            left.append(request)
        else:
            free.remove(match)
    return left


class Killer:
    """Kills workers from outside at random moments, one at a time, and measures until the successor is there."""

    def __init__(self, server, seed):
        self.server, self.random = server, random.Random(seed)
        self.deaths, self.all, self.respawns = [], [], []  # times of those from outside; (time, how) of all

    def kill(self, number):
        """One signal to one receiver; its time is kept. Waits for the successor."""
        before = self.server.child_pids()
        victims = [pid for pid in before if "receiver" in harness.title(pid)]
        if not victims:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.random.choice(victims), number)
            self.deaths.append(time.monotonic())
            self.all.append((self.deaths[-1], signal.Signals(number).name))
            self.note_respawn(before)
        return True

    def by_message(self, deadly, how):
        """One message that kills its worker."""
        before = self.server.child_pids()
        self.all.append((time.monotonic(), how))
        deadly.send(how)
        self.note_respawn(before)

    def note_respawn(self, before):
        took = self.server.await_successor(before)
        if took is None:
            raise AssertionError("no successor within 5 s")
        self.respawns.append(took)


class Stopper(threading.Thread):
    """Sends SIGCONT to a process after a while, whatever happens to the test meanwhile."""

    def __init__(self, pid, seconds):
        super().__init__()
        self.pid, self.seconds, self.continued = pid, seconds, 0.0

    def run(self):
        time.sleep(self.seconds)
        self.continued = time.monotonic()
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGCONT)


def gone(pid):
    """Whether no such process runs; a zombie does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


def stopped(pid):
    """Whether the process is stopped by a signal."""
    return any(p == pid and state == "T" for p, state, _, _ in harness.process_rows())


def collect(peer, seconds, wanted=None):
    """{Call-ID: (time, status)} of what arrives at `peer` until `wanted` answers are there or the time is over."""
    got, end = {}, time.monotonic() + seconds
    while time.monotonic() < end and (wanted is None or len(got) < wanted):
        answer = peer.receive(max(end - time.monotonic(), 0.001))
        if answer is None:
            break
        name = answer.split(b"Call-ID: ", 1)[1].split(b"\r\n", 1)[0].decode()
        got.setdefault(name, (time.monotonic(), status(answer)))
    return got
