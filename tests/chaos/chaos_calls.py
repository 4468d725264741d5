# SPDX-License-Identifier: Apache-2.0
"""Workers die while calls run. CHAOS_DEATHS: two fifths of them here (16; ./check --full 200), CHAOS_SEED: the dice.

Receivers, event worker and timer worker are killed while some calls are established, others ring and new ones are made. A death costs
at most the one message in hand, which is sent again: established calls end with the 200 to their BYE, those that ring with the 487 to
their CANCEL, new ones are made. A call that does not needs a death of its own, that of who had its last response in hand. Afterwards
nothing of a transaction is left in the segment.

What a worker sent right before its death its successor may send once more. Phones take that; sipp gives such a call up (TWICE)."""
import os
import random
import re
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import chaos  # noqa: F401  it says where the black-box tests' modules are
import calls
from calls import CallServer, start_callee, start_caller
from harness import end_sipp, sipp_errors, title, wait_until

DEATHS = max(int(os.environ.get("CHAOS_DEATHS", "40")) * 2 // 5, 4)
SEED = int(os.environ.get("CHAOS_SEED", "1"))
ROUND = 16  # deaths while the same calls run
ESTABLISHED, RINGING, NEW_A_SECOND, SECONDS = 300, 150, 250, 9
KINDS = ("receiver",) * 3 + ("event", "timer")
# A receiver has finished a message since its last death. The others may not have: faults of their own would count as deaths in a row.
SIGNALS = {"receiver": (signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT), "event": (signal.SIGKILL,), "timer": (signal.SIGKILL,)}
AGAIN = 4  # a lost message is sent again by the caller, by us, by the callee; and once more where that takes over half a second
REACH = 1.0  # seconds after a death in which a failed call is its doing
TWICE = re.compile("while pausing|unexpected CANCEL")
figures = []


class Calls(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        self.parties, self.deaths = {}, []

    def party(self, name, process):
        self.parties[name] = process
        self.addCleanup(end_sipp, process)

    def begin(self, server, a, b, c):
        """Calls that are established or ring before anybody dies, and end while they do; then new ones."""
        ports = calls.ports(5080, 5081, 5082)
        pause = SECONDS * 400
        self.party("callees of the established", start_callee("callee", a, ESTABLISHED))
        self.party("callees that ring", start_callee("callee_rings", b, RINGING))
        self.party("the established", start_caller("caller", ports[0], server.port, "bob", ESTABLISHED, 150, pause))
        self.party("those who hear it ring", start_caller("caller_cancels", ports[1], server.port, "carol", RINGING, 75, pause))
        wait_until(lambda: server.statistics()["tm.transactions"] == ESTABLISHED + RINGING, 10, "the calls to be there")
        time.sleep(0.3)
        count = NEW_A_SECOND * SECONDS
        self.party("callees of the new", start_callee("callee_at_once", c, count, linger_ms=1000))
        self.party("the new", start_caller("caller", ports[2], server.port, "dave", count, NEW_A_SECOND, 700))

    def kill(self, server, count):
        """`count` deaths in the time the calls run, each after the successor of the last."""
        for _ in range(count):
            time.sleep(self.random.uniform(0.2, 2 * SECONDS / ROUND - 0.2))
            kind = self.random.choice(KINDS)
            before = server.child_pids()
            victims = [pid for pid in before if kind in title(pid)]
            self.strike(server, victims, self.random.choice(SIGNALS[kind]))
            self.assertIsNotNone(server.await_successor(before, kind=kind), f"no successor of the {kind}")

    def strike(self, server, victims, number):
        """Two of three are hit at work: stopped for a while, they have much to do when they go on."""
        stopped = [*server.receivers(), *victims] if self.random.random() < 2 / 3 else []
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(0.03)
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        time.sleep(self.random.uniform(0, 0.001))
        os.kill(self.random.choice(victims), number)
        self.deaths.append(time.time())

    def failed(self):
        """Times at which a party gave a call up, with what it said."""
        rows = []
        for name, process in self.parties.items():
            for when, text in re.findall(r"\t(\d{10}\.\d+): ((?:Aborting|Failed).*?)(?=\n|\d{4}-\d\d-\d\d\t)", sipp_errors(process)):
                rows.append((float(when), f"{name}: {text}"))
        return sorted(rows)

    def assert_failures_have_deaths(self):
        """What a death sends twice may be several messages, and sipp gives up a call to which something comes twice, or late."""
        free, left = sorted(self.deaths), []
        for when, text in self.failed():
            if TWICE.search(text) and any(0 <= when - death < REACH for death in self.deaths):
                continue
            match = next((death for death in free if 0 <= when - death < REACH), None)
            if match is None:
                left.append(f"{min((when - death for death in self.deaths), key=abs):+.3f} s from a death: {text}")
            else:
                free.remove(match)
        self.assertEqual([], left[:10], f"{len(left)} calls failed without a death of their own, seed {SEED}")

    def one_round(self, deaths):
        a, b, c = calls.ports(5070, 5071, 5072)
        self.parties, self.deaths = {}, []
        with CallServer([a, c, b], wt_timer=500) as server:
            before = server.accounts()
            self.begin(server, a, b, c)
            self.kill(server, deaths)
            wait_until(lambda: all(process.poll() is not None for process in self.parties.values()), 60, "all calls to end")
            self.assert_failures_have_deaths()
            for _, text in self.failed():
                print(text)
            rows = {name: calls.figures(process) for name, process in self.parties.items()}
            again = sum(int(row["Retransmissions(C)"]) for row in rows.values())
            now = server.statistics()
            again += now["tm.requests_sent_again"] + now["tm.replies_sent_again"]
            self.assertLessEqual(again, AGAIN * deaths, f"more was lost than a message a death, seed {SEED}")
            self.assertEqual((deaths, 0), (now["core.worker_deaths"], now["core.renewals"]))
            self.assertEqual(0, now["tm.timeouts"], "somebody was not heard of for 30 s")
            server.wait_for_accounts(before, 10, lost_counts=deaths)
            self.assertEqual(0, server.stop()[0], server.log())
            server.assert_nothing_left(self)
        return again, sum(bool(TWICE.search(text)) for _, text in self.failed()), len(self.failed())

    def test_calls_go_on_while_workers_die(self):
        done, again, twice, failed, made = 0, 0, 0, 0, 0
        while done < DEATHS:
            deaths = min(ROUND, DEATHS - done)
            sums = self.one_round(deaths)
            done += deaths
            again, twice, failed = again + sums[0], twice + sums[1], failed + sums[2]
            made += ESTABLISHED + RINGING + NEW_A_SECOND * SECONDS
        figures.append(f"{done} deaths in {made} calls: {again} messages sent again, {failed - twice} calls failed, "
                       f"{twice} given up by sipp because something came twice")
