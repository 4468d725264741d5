# SPDX-License-Identifier: Apache-2.0
"""Calls of sipp through a stateful server, and what must be true afterwards. The scenarios are in sipp/*.xml."""
import os
import random
import re
import select
import socket
import sys
import threading

import harness
from harness import HOST, Server, end_sipp, free_port, sipp_errors, start_sipp, udp_bound, wait_until

WORKERS = 2
# Receive blocks of a datagram worker, in bytes (ARCHITECTURE.md, Budget).
BLOCKS = 16 * 2064
SCENARIOS = harness.TOP / "tests/blackbox/sipp"
FULL = os.environ.get("CHECK_MODE") == "full"

# What the user part says is done; A is the first callee, B the last, C the second of three. The parameters of @TM@ are those of the test.
CONFIG = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=@WORKERS@
disable_core_dump=yes
crash_quarantine_deaths=0
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "siputils.so"
@TM@
request_route {
  if (method == "CANCEL") {
    if (!t_relay_cancel()) sl_send_reply("481", "No Such Call");
    exit;
  }
  if (has_totag()) {
    if (loose_route()) t_relay();
    else if (method == "ACK") t_check_trans();
    else sl_send_reply("404", "Not Here");
    exit;
  }
  record_route();
  $ru = "sip:" + $rU + "@127.0.0.1:@A@";
  switch ($rU) {
    case "carol":
      $ru = "sip:carol@127.0.0.1:@B@";
      break;
    case "dave":
      $ru = "sip:dave@127.0.0.1:@C@";
      break;
    case "both":
      append_branch("sip:both@127.0.0.1:@B@");
      break;
    case "busy-then-next":
      t_on_failure("NEXT");
      break;
    case "moved":
      t_on_reply("CONTACT");
      t_on_failure("MOVED");
      break;
    case "by-q":
      # Without a q it is tried last.
      $ru = "sip:by-q@127.0.0.1:@B@";
      append_branch("sip:by-q@127.0.0.1:@A@", "0.7");
      t_load_contacts();
      t_next_contacts();
      t_on_failure("NEXT_CONTACT");
      break;
  }
  if (!t_relay()) sl_reply_error();
}
failure_route[NEXT] {
  if (t_is_canceled() || !t_check_status("486")) exit;
  $ru = "sip:next@127.0.0.1:@B@";
  t_relay();
}
failure_route[NEXT_CONTACT] {
  if (t_is_canceled() || !t_next_contacts()) exit;
  t_on_failure("NEXT_CONTACT");
  t_relay();
}
onreply_route[CONTACT] {
  if ($rs == 302) $avp(contact) = $(ct{nameaddr.uri});
}
failure_route[MOVED] {
  if (t_is_canceled() || !t_check_status("302")) exit;
  $ru = $avp(contact);
  t_relay();
}
"""


class CallServer(Server):
    """The server of these tests; `tm`: parameters of module tm by name."""

    def __init__(self, callees, workers=WORKERS, **tm):
        config = CONFIG.replace("@WORKERS@", str(workers)).replace("@A@", str(callees[0])).replace("@B@", str(callees[-1]))
        config = config.replace("@C@", str(callees[len(callees) // 2]))
        super().__init__(config.replace("@TM@", "".join(f'modparam("tm", "{name}", {value})\n' for name, value in tm.items())))
        self.args += ["-s", str(self.stat_file)]
        self.workers = workers

    def __enter__(self):
        super().__enter__()
        try:
            # Each receiver has its blocks: what is there now is what must be there at the end.
            wait_until(lambda: self.accounts()["messages"] == self.workers * BLOCKS, 5, "all workers to be there")
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def accounts(self):
        """What the segment holds: nothing of it is a transaction's once all have ended."""
        now = self.statistics()
        return {"of transactions": now['shm.used{owner="transactions"}'], "messages": now['shm.used{owner="messages"}'],
                "timers": now["timer.armed"], "transactions": now["tm.transactions"] - now["tm.finished"]}

    def wait_for_accounts(self, before, seconds, lost_counts=0):
        """Waits until the accounts are as before. A worker may keep a chunk for its next large message, and a death between the end
        of a transaction and its counter may cost a count: `lost_counts` of them."""
        def excess():
            now = self.accounts()
            rest = {name: now[name] - before[name] for name in now if now[name] != before[name]}
            if abs(rest.get("messages", 0)) <= self.workers * 8208:
                rest.pop("messages", None)
            if abs(rest.get("transactions", 0)) <= lost_counts:
                rest.pop("transactions", None)
            return rest
        rest = {"": 0}

        def is_back():
            rest.clear()
            rest.update(excess())
            return not rest
        try:
            wait_until(is_back, seconds, "the accounts to be as before")
        except AssertionError as error:
            raise AssertionError(f"after {seconds} s the segment still holds {rest}") from error


class Lossy(threading.Thread):
    """Sits before one peer and loses messages both ways, always the same ones: which copy of which message is lost follows from `seed`
    and the message alone. What the server sends goes to the peer, everything else to the server."""

    def __init__(self, server_port, peer_port, port, percent, seed):
        super().__init__()
        self.server_port, self.peer_port, self.percent, self.seed = server_port, peer_port, percent, seed
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((HOST, port))
        self.wake = socket.socketpair()
        self.copies, self.lost, self.passed = {}, {"to the peer": 0, "to the server": 0}, 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.wake[0].send(b".")
        self.join()
        for each in (self.socket, *self.wake):
            each.close()

    def loses(self, data, way):
        """Whether this copy of the message is lost."""
        start = data.split(b" ", 2)
        name = b" ".join((*start[:2], *re.findall(rb"^(?:CSeq|Call-ID):[^\r\n]*", data, re.M))) if start[0] == b"SIP/2.0" else \
            b" ".join((start[0], *re.findall(rb"^(?:CSeq|Call-ID):[^\r\n]*", data, re.M)))
        copy = self.copies[name, way] = self.copies.get((name, way), 0) + 1
        return random.Random(f"{self.seed} {way} {copy} {name!r}").random() * 100 < self.percent

    def run(self):
        while True:
            ready, _, _ = select.select([self.socket, self.wake[1]], [], [])
            if self.wake[1] in ready:
                return
            data, (_, port) = self.socket.recvfrom(65536)
            way = "to the peer" if port == self.server_port else "to the server"
            if self.loses(data, way):
                self.lost[way] += 1
                continue
            self.passed += 1
            self.socket.sendto(data, (HOST, self.peer_port if port == self.server_port else self.server_port))


def start_callee(scenario, port, calls, *more, contact=None, linger_ms=500):
    """sipp that takes `calls` calls; each lingers for what comes again."""
    process = start_sipp("-sf", str(SCENARIOS / f"{scenario}.xml"), "-p", str(port), "-m", str(calls), "-trace_err", "-trace_stat", "-stf",
                         "figures.csv", "-fd", "60", "-key", "contact_port", str(contact or port), "-d", str(linger_ms), *more)
    try:
        wait_until(lambda: udp_bound(port), 5, f"sipp to listen on {port}")
    except AssertionError:
        end_sipp(process)
        raise
    return process


def start_caller(scenario, port, to, user, calls, rate, pause_ms=100):
    """sipp that makes `calls` calls, `rate` a second; they are answered, or ring, for `pause_ms`."""
    return start_sipp("-sf", str(SCENARIOS / f"{scenario}.xml"), f"{HOST}:{to}", "-p", str(port), "-s", user, "-m", str(calls), "-r",
                      str(rate), "-d", str(pause_ms), "-timeout", "120", "-cid_str", "%u@%s", "-trace_err", "-trace_stat", "-stf", "figures.csv", "-fd", "60")


def figures(process):
    """The last row of sipp's statistics, by name."""
    names, *_, last = [line.split(";") for line in (process.folder / "figures.csv").read_text().splitlines() if line]
    return dict(zip(names, last))


def assert_all_well(case, process, calls, seconds, who):
    """Waits for its end: that many calls, none failed, nothing unexpected came."""
    code = process.wait(seconds)
    errors = sipp_errors(process)
    if errors:
        case.fail(f"{who} saw something unexpected, {errors[:2500]}")
    case.assertEqual(0, code, f"{who} saw a failed call")
    now = figures(process)
    case.assertEqual((calls, 0), (int(now["SuccessfulCall(C)"]), int(now["FailedCall(C)"])), who)
    case.assertEqual(0, int(now["OutOfCallMsgs(C)"]) + int(now["DeadCallMsgs(C)"]), f"{who} got messages of no call")
    return now


def ports(*wanted):
    """Free ports near the wanted ones, no two the same."""
    taken = []
    for port in wanted:
        while (free := free_port(port)) in taken:
            port += 1
        taken.append(free)
    return taken
