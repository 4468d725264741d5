# SPDX-License-Identifier: Apache-2.0
"""Calls of sipp through the stateful server with two workers: answered, cancelled, busy, redirected, forked, under loss.

No call fails, nothing comes unexpected or again, no worker dies, and once the timers of the transactions have ended the segment
holds what it held before. ./check --full: 5,000 answered calls, which end as the RFC's timers say."""
import contextlib
import unittest

import calls
import harness
from calls import CallServer, Lossy, assert_all_well, start_callee, start_caller
from harness import end_sipp

ANSWERED = 5000 if calls.FULL else 1000
OTHERS = 1000 if calls.FULL else 200
RATE = 250
# How long a finished transaction absorbs what comes again, and the segment must be empty after. As the RFC says it takes 32 s.
SHORT, AS_RFC = ({"wt_timer": 500}, 5), ({}, 40)


class Scenarios(unittest.TestCase):
    def run_calls(self, user, caller, callees, count, linger=SHORT):
        """`callees`: scenarios of A and B."""
        caller_port, *ports = calls.ports(5080, *(5070 + i for i in range(len(callees))))
        with CallServer(ports, **linger[0]) as server:
            before = server.accounts()
            parties = []
            for port, scenario in zip(ports, callees):
                parties.append(start_callee(scenario, port, count, contact=ports[-1]))
                self.addCleanup(end_sipp, parties[-1])
            parties.append(start_caller(caller, caller_port, server.port, user, count, RATE))
            self.addCleanup(end_sipp, parties[-1])
            for process, who in zip(reversed(parties), ("the caller", "callee B" if len(callees) > 1 else "the callee", "callee A")):
                row = assert_all_well(self, process, count, 120, who)
                self.assertEqual(0, int(row["Retransmissions(C)"]), f"{who} sent something again, and nothing was lost")
            figures = server.statistics()
            self.assertEqual(0, figures["core.worker_deaths"])
            for name in ("retransmissions", "requests_sent_again", "replies_sent_again", "timeouts", "stray_responses", "waiting_full",
                         "no_memory"):
                self.assertEqual(0, figures[f"tm.{name}"], name)
            server.wait_for_accounts(before, linger[1])
            return figures

    def test_answered(self):
        figures = self.run_calls("bob", "caller", ["callee"], ANSWERED, AS_RFC if calls.FULL else SHORT)
        self.assertEqual(2 * ANSWERED, figures["tm.transactions"])

    def test_cancelled_while_it_rings(self):
        figures = self.run_calls("bob", "caller_cancels", ["callee_rings"], OTHERS)
        self.assertEqual((OTHERS, OTHERS), (figures["tm.transactions"], figures["tm.cancels"]))

    def test_busy(self):
        figures = self.run_calls("bob", "caller_refused", ["callee_busy"], OTHERS)
        self.assertEqual(OTHERS, figures["tm.transactions"])

    def test_redirected_by_a_failure_route(self):
        self.run_calls("moved", "caller", ["callee_moved", "callee"], OTHERS)

    def test_forked_in_parallel(self):
        figures = self.run_calls("both", "caller", ["callee_rings", "callee"], OTHERS)
        self.assertEqual(OTHERS, figures["tm.cancels"])

    def test_forked_one_after_the_other_by_a_failure_route(self):
        self.run_calls("busy-then-next", "caller", ["callee_busy", "callee"], OTHERS)

    def test_forked_one_after_the_other_by_q(self):
        self.run_calls("by-q", "caller", ["callee_busy", "callee"], OTHERS)


class Loss(unittest.TestCase):
    """One message of twenty is lost, between the caller and the server and between the server and the callee, both ways."""
    count, rate, percent, seed = 500, 125, 5, 1

    def test_calls_complete_by_retransmission(self):
        caller_port, caller_side, callee_port, callee_side = calls.ports(5080, 5081, 5070, 5071)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(CallServer([callee_side], retr_timer1=100))
            before_callee = stack.enter_context(Lossy(server.port, callee_port, callee_side, self.percent, self.seed))
            before_caller = stack.enter_context(Lossy(server.port, caller_port, caller_side, self.percent, self.seed + 1))
            before = server.accounts()
            callee = start_callee("callee_at_once", callee_port, self.count, contact=callee_side, linger_ms=4000)
            self.addCleanup(end_sipp, callee)
            caller = start_caller("caller", caller_port, caller_side, "bob", self.count, self.rate, pause_ms=4000)
            self.addCleanup(end_sipp, caller)
            assert_all_well(self, caller, self.count, 60, "the caller")
            assert_all_well(self, callee, self.count, 30, "the callee")
            figures = server.statistics()
            self.assertEqual(0, figures["core.worker_deaths"])
            # Both sides of the server did their part.
            self.assertGreater(figures["tm.requests_sent_again"], 0)
            self.assertGreater(figures["tm.retransmissions"], 0)
            lost = {**before_caller.lost, **{f"{way} behind": n for way, n in before_callee.lost.items()}}
            self.assertTrue(all(n > 2 * self.count * self.percent // 100 for n in lost.values()), lost)
            server.wait_for_accounts(before, 45)


if __name__ == "__main__":
    harness.main()
