# SPDX-License-Identifier: Apache-2.0
"""Workers die by the hundred while every request is accounted for. CHAOS_DEATHS: how many (40; ./check --full 500), CHAOS_SEED: the dice.

A death costs at most the one message in hand; others do not wait; nothing leaks; the worker is back. The bars are in DESIGN 2.9."""
import os
import random
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import chaos
import harness
import chaos_calls
from chaos import Deadly, DyingServer, Killer, Load, Stopper, collect, kernel_drops, pair_losses
from chaos_calls import Calls  # noqa: F401  its tests are of this program
from harness import wait_until

DEATHS = int(os.environ.get("CHAOS_DEATHS", "40"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
RATE = int(os.environ.get("CHAOS_RATE", "2000"))
WAIT = 0.100      # nobody else waits longer for a death by signal, on a quiet machine
RESPAWN = 0.100
FULL = DEATHS >= 500

FROM_OUTSIDE = (signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)
BY_MESSAGE = ("segv", "abort", "ill", "bus", "fpe", "kill", "stack", "exit", "leak", "kill-lock", "kill-heap")
figures = []


def milliseconds(seconds):
    return f"{seconds * 1e3:.0f} ms"


class Chaos(unittest.TestCase):
    """What is the same for all: a control run, and what is asked of the load afterwards."""

    def setUp(self):
        self.random = random.Random(SEED)
        self.noise = 0.0

    def control(self, server):
        """Load without deaths: warms up, and shows what the machine alone does to the longest wait."""
        with Load(server, RATE, 2) as load:
            pass
        self.assertEqual([], load.unanswered(), "requests unanswered without any death")
        self.noise = max(load.longest(), load.sender_lag())

    def wait_bar(self):
        """100 ms; on a machine that is disturbed as it is, as much more."""
        return WAIT + (self.noise if self.noise > WAIT / 2 else 0.0)

    def assert_nothing_dropped(self, server, load):
        self.assertEqual(0, load.drops, "the load tool's sockets overflowed: this run proves nothing")
        self.assertEqual(0, kernel_drops(server.port), "the server's socket overflowed: raise net.core.rmem_max, this run proves nothing")

    def assert_losses_have_deaths(self, load, deaths):
        unexplained = pair_losses(load.unanswered(), deaths)
        self.assertEqual([], unexplained[:10], f"{len(unexplained)} requests unanswered without a death of their own; "
                         f"{len(load.unanswered())} unanswered, {len(deaths)} deaths from outside, seed {SEED}")

    def assert_nobody_waited(self, load, deaths):
        late = load.late(self.wait_bar())
        told = {}
        for request in late:
            when, how = min(deaths, key=lambda death, sent=request.sent: abs(death[0] - sent))
            told.setdefault((when, how), []).append(request)
        lines = [f"{how}: {len(group)} waited, longest {milliseconds(max(r.answered - r.sent for r in group))}, "
                 f"sent {(group[0].sent - when) * 1e3:+.0f} to {(group[-1].sent - when) * 1e3:+.0f} ms"
                 for (when, how), group in sorted(told.items())]
        self.assertEqual([], lines, f"{len(late)} requests waited longer than {milliseconds(self.wait_bar())}, "
                         f"without deaths the longest was {milliseconds(self.noise)}, seed {SEED}")

    def assert_nothing_leaked(self, server, before, children):
        """Cells and bytes are back where they were; each worker may keep one spare chunk for its next large message."""
        wait_until(lambda: len(server.receivers()) == children, 5, "all workers to be back")

        def excess():
            now = server.cells()
            return {name: (value, now.get(name)) for name, value in before.items()
                    if abs(now.get(name, 0) - value) > (children if name == "shm.cells" else children * 8208)}
        wait_until(lambda: not excess(), 3, f"the segment to be as it was: {excess()}")


class Module(unittest.TestCase):
    def test_each_word_ends_a_worker_as_told(self):
        """What the other tests rest on."""
        with DyingServer(children=2) as server:
            deadly = Deadly(server, SEED)
            self.addCleanup(deadly.close)
            for how in BY_MESSAGE:
                pids, told = server.child_pids(), server.log().count("replaced, the others go on")
                deadly.send(how)
                self.assertIsNotNone(server.await_successor(pids), f"{how}: nobody died")
                wait_until(lambda n=told: server.log().count("replaced, the others go on") > n, 2, "a line about the death")
                line = [row for row in server.log().splitlines() if "replaced, the others go on" in row][-1]
                want = {"segv": "signal 11", "abort": "signal 6", "ill": "signal 4", "bus": "signal 7", "fpe": "signal 8",
                        "stack": "signal 11", "exit": "status 3"}.get(how, "signal 9")
                self.assertIn(want, line, how)
            deadly.send("nonsense")
            self.assertEqual({202}, {code for _, code in collect(deadly.peer, 2, 1).values()}, "an unknown word does nothing")


class DeathsBySignal(Chaos):
    def run_deaths(self, wanted, cores=False, args=()):
        deadly_count, outside, lates, longest, duplicates, unanswered, sent, respawns = 0, 0, 0, 0.0, 0, 0, 0, []
        with DyingServer(cores=cores, args=args) as server:
            self.control(server)
            before = server.cells()
            deadly = Deadly(server, SEED)
            self.addCleanup(deadly.close)
            while outside + deadly_count < wanted:
                killer = Killer(server, self.random.random())
                with Load(server, RATE, min(12, 2 + 0.2 * (wanted - outside - deadly_count))) as load:
                    time.sleep(0.2)
                    while time.monotonic() < load.end - 1 and outside + deadly_count + len(killer.deaths) < wanted:
                        time.sleep(self.random.uniform(0.01, 0.12))
                        if self.random.random() < 0.6:
                            killer.kill(self.random.choice(FROM_OUTSIDE))
                        else:
                            killer.by_message(deadly, self.random.choice(BY_MESSAGE))
                            deadly_count += 1
                        if cores:
                            for core in server.folder.glob("core*"):
                                core.unlink()
                self.assert_nothing_dropped(server, load)
                self.assert_losses_have_deaths(load, killer.deaths)
                self.assert_nobody_waited(load, killer.all)
                outside += len(killer.deaths)
                respawns += killer.respawns
                lates += len(load.late(WAIT))
                longest = max(longest, load.longest())
                duplicates += load.duplicates
                unanswered += len(load.unanswered())
                sent += load.sent
            self.assertEqual(len(respawns), server.statistics()["core.worker_deaths"])
            # Of few, the middle one: each fork of a disturbed machine counts in full.
            place = len(respawns) * 9 // 10 if len(respawns) >= 100 else len(respawns) // 2
            self.assertLessEqual(sorted(respawns)[place], RESPAWN + self.noise, "a worker is back within 100 ms")
            self.assert_nothing_leaked(server, before, server.wanted)
            self.assertEqual(0, server.stop()[0], server.log())
            server.assert_nothing_left(self)
        figures.append(f"{outside} deaths by signal and {deadly_count} by message{' with cores' if cores else ''}: {sent} requests, "
                       f"{unanswered} unanswered, {lates} waited over 100 ms, longest {milliseconds(longest)} "
                       f"({milliseconds(self.noise)} without deaths), {duplicates} answered twice, back after "
                       f"{milliseconds(sorted(respawns)[len(respawns) // 2])}, at worst {milliseconds(max(respawns))}")

    def test_each_costs_one_message(self):
        self.run_deaths(max(DEATHS * 7 // 10, 10))

    def test_each_costs_one_message_with_core_dumps(self):
        self.run_deaths(max(DEATHS * 2 // 10, 5), cores=True)


class Loops(Chaos):
    def test_the_rest_of_the_batch_is_served_within_a_second(self):
        """A burst that fills whole batches, with a message in it that never ends."""
        rounds, longest = max(DEATHS // 20, 2), 0.0
        with DyingServer(children=2) as server:
            self.control(server)
            before = server.cells()
            deadly = Deadly(server, SEED)
            self.addCleanup(deadly.close)
            for number in range(rounds):
                pids = server.child_pids()
                # Stopped, they find a backlog when they go on: then batches are large.
                receivers = server.receivers()
                for pid in receivers:
                    os.kill(pid, signal.SIGSTOP)
                at = self.random.randrange(20, 60)
                names = []
                for i in range(80):
                    if i == at:
                        deadly.send("loop")
                    names.append(f"r{number}-{i}")
                    deadly.peer.send(deadly.peer.request("OPTIONS", server.port, names[-1]), server.port)
                start = time.monotonic()
                for pid in receivers:
                    os.kill(pid, signal.SIGCONT)
                got = collect(deadly.peer, 5, len(names))
                self.assertEqual(set(names), set(got), f"requests beside a loop at place {at} unanswered, seed {SEED}")
                longest = max(longest, *(when - start for when, _ in got.values()))
                self.assertIsNotNone(server.await_successor(pids, 3), "the looping worker is replaced")
            self.assertLessEqual(longest, 1.0 + self.noise, "the rest of a looping worker's batch waited")
            self.assertEqual(rounds, server.statistics()["core.worker_deaths"])
            self.assert_nothing_leaked(server, before, 2)
        figures.append(f"{rounds} loops: longest wait in the same batch {milliseconds(longest)}, none lost")

    def test_others_go_on_beside_loops(self):
        rounds = max(DEATHS // 20, 2)
        with DyingServer() as server:
            self.control(server)
            deadly = Deadly(server, SEED)
            self.addCleanup(deadly.close)
            with Load(server, RATE, 1.2 * rounds + 2) as load:
                for _ in range(rounds):
                    time.sleep(self.random.uniform(0.05, 0.2))
                    pids = server.child_pids()
                    deadly.send("loop")
                    self.assertIsNotNone(server.await_successor(pids, 3), "the looping worker is replaced")
            self.assert_nothing_dropped(server, load)
            self.assertEqual([], load.unanswered(), "a loop costs only its own message")
            # Its batch waits for the watchdog; a batch is at most 16.
            waited = load.late(self.wait_bar())
            self.assertLessEqual(len(waited), 16 * rounds, f"waited {[milliseconds(r.answered - r.sent) for r in waited[:20]]}")
            self.assertLessEqual(load.longest(), 1.0 + self.noise)
        figures.append(f"{rounds} loops under load: {load.sent} requests, {len(waited)} waited over 100 ms, "
                       f"longest {milliseconds(load.longest())}")


class Stops(Chaos):
    def test_a_stopped_worker_loses_nothing(self):
        rounds, beside, longest = max(DEATHS // 10, 4), 0, 0.0
        with DyingServer() as server:
            self.control(server)
            before, members = server.cells(), server.children()
            with Load(server, RATE, 0.7 * rounds + 2) as load:
                stops = []
                for _ in range(rounds):
                    time.sleep(self.random.uniform(0.05, 0.2))
                    pid = self.random.choice(server.receivers())
                    began = time.monotonic()
                    os.kill(pid, signal.SIGSTOP)
                    stop = Stopper(pid, self.random.uniform(0.2, 0.5))
                    stop.start()
                    stop.join()
                    stops.append((began, stop.continued))
            self.assert_nothing_dropped(server, load)
            self.assertEqual([], load.unanswered(), f"a stopped worker lost messages, seed {SEED}")
            for began, continued in stops:
                held = [r for r in load.late(self.wait_bar()) if began - 0.05 < r.sent < continued]
                beside += len(held)
                self.assertLessEqual(len(held), 16, "more than the stopped worker's batch waited")
                longest = max([longest, *(r.answered - continued for r in held)])
            self.assertLessEqual(longest, self.wait_bar(), "what waited was answered soon after SIGCONT")
            self.assertEqual(members, server.children(), "nobody died")
            self.assert_nothing_leaked(server, before, server.wanted)
        figures.append(f"{rounds} stops: {load.sent} requests, 0 lost, {beside} waited for SIGCONT")

    def test_a_batch_in_hand_waits_and_others_go_on(self):
        """The worker stops in the middle of a batch; the rest of it waits, what comes later does not."""
        with DyingServer(children=2) as server:
            deadly = Deadly(server, SEED)
            self.addCleanup(deadly.close)
            for pid in server.receivers():
                os.kill(pid, signal.SIGSTOP)
            names = [f"b{i}" for i in range(64)]
            for i, name in enumerate(names):
                if i == 40:
                    deadly.send("stop")
                deadly.peer.send(deadly.peer.request("OPTIONS", server.port, name), server.port)
            receivers = server.receivers()
            for pid in receivers:
                os.kill(pid, signal.SIGCONT)
            got = collect(deadly.peer, 0.5)
            victims = wait_until(lambda: [pid for pid in receivers if chaos.stopped(pid)], 2, "a worker to be stopped by its message")
            missing = set(names) - set(got)
            self.assertLessEqual(len(missing), 16, "only its batch waits")
            with harness.Peer() as other:
                self.assertTrue(all(other.ask(server.port, f"later{i}", seconds=1) == 200 for i in range(20)), "others go on")
            os.kill(victims[0], signal.SIGCONT)
            rest = collect(deadly.peer, 2, len(missing) + 1)
            self.assertLessEqual(missing, set(rest), "what waited is answered after SIGCONT")
            self.assertIn(202, [code for _, code in rest.values()], "the message that stopped it too")
        figures.append(f"stopped in a batch: {len(missing)} waited for SIGCONT, 0 lost")

    def locked(self, how, wanted):
        with DyingServer() as server, harness.Peer() as big:
            deadly = Deadly(server, SEED)
            self.addCleanup(deadly.close)
            with Load(server, 300, 3) as load:
                time.sleep(0.5)
                deadly.send(how)
                victims = wait_until(lambda: [pid for pid in server.receivers() if chaos.stopped(pid)], 2, "a worker to be stopped")
                # Too large for a receive block: these need a cell of the size class whose lock is held.
                for i in range(20):
                    big.send(big.request("OPTIONS", server.port, f"big{i}", body=b"x" * 3300), server.port)
                time.sleep(1)
                os.kill(victims[0], signal.SIGCONT)
            answered = collect(big, 2, 20)
            self.assertEqual(20, len(answered), f"large requests answered while {how}")
            self.assertLessEqual({code for _, code in answered.values()}, wanted)
            self.assert_nothing_dropped(server, load)
            self.assertEqual([], load.unanswered(), f"who waits for a lock of a stopped worker never hangs ({how})")
            kinds = {r.status for r in load.requests}
            self.assertLessEqual(kinds, wanted, f"answers while {how}")
            refused = sum(r.status != 200 for r in load.requests)
            with harness.Peer() as other:
                self.assertEqual(200, other.ask(server.port), "afterwards all is well")
            self.assertEqual(0, server.statistics()["core.worker_deaths"])
        figures.append(f"{how} for 1 s: {load.sent} requests, all answered, {refused} by 500, longest {milliseconds(load.longest())}")

    def test_holder_of_a_lock_is_stopped(self):
        self.locked("stop-lock", {200, 500})

    def test_holder_of_a_heap_lock_is_stopped(self):
        self.locked("stop-heap", {200, 500, 503})


class Supervisor(Chaos):
    def test_killed_it_takes_all_with_it(self):
        gone, rounds = 0.0, max(DEATHS // 50, 2)
        for _ in range(rounds):
            with DyingServer() as server:
                with Load(server, 500, 1):
                    time.sleep(0.5)
                    members = server.children()
                    server.process.kill()
                    start = time.monotonic()
                    server.process.wait()
                    # A process whose parent died is init's to reap: a zombie is gone too.
                    wait_until(lambda pids=members: all(chaos.gone(pid) for pid in pids), 1, "all processes to be gone")
                    gone = max(gone, time.monotonic() - start)
                self.assertFalse(harness.udp_bound(server.port), "the port is free")
                # Its pid file stayed behind, as it must: the next start replaces it.
                self.assertTrue(server.pid_file.exists())
                server.start()
                with harness.Peer() as peer:
                    self.assertEqual(200, peer.ask(server.port))
                self.assertEqual(0, server.stop()[0], server.log())
                server.assert_nothing_left(self)
        figures.append(f"{rounds} times the supervisor killed: all gone within {milliseconds(gone)}, restarted")


class Overwritten(Chaos):
    """Random words of the segment are overwritten. What cannot survive by design: nothing is excused."""

    def service_back(self, server, seed):
        """Seconds until 20 requests in a row are answered."""
        start = time.monotonic()
        with harness.Peer() as peer:
            row = 0
            while time.monotonic() - start < 10:
                row = row + 1 if peer.ask(server.port, f"s{seed}-{time.monotonic_ns()}", seconds=0.1) == 200 else 0
                if row == 20:
                    return time.monotonic() - start
                if server.process.poll() is not None:
                    return None
        return None

    def test_service_is_back_within_five_seconds(self):
        trials, worst, failed, deaths = max(DEATHS // 5, 6), 0.0, [], 0
        dice = random.Random(SEED)
        for trial in range(trials):
            seed = SEED * 1000 + trial
            with DyingServer() as server:
                deadly = Deadly(server, seed)
                with Load(server, RATE / 2, 2, accounted=False):
                    time.sleep(0.5)
                    words = dice.choice((1, 16, 256, 1024))
                    deadly.send(f"scribble:{words}:{seed}")
                    took = self.service_back(server, seed)
                deadly.close()
                if took is None or took > 5:
                    failed.append((words, seed, took, server.process.poll()))
                    print(server.log()[-2000:])
                else:
                    worst = max(worst, took)
                    deaths += server.log().count("replaced, the others go on")
        self.assertEqual([], failed, "(words, seed, seconds, exit code) of trials after which the service was not back within 5 s")
        figures.append(f"{trials} times 1 to 1024 words overwritten: {deaths} deaths, service back within {worst:.1f} s")


class Main(unittest.TextTestRunner):
    def run(self, test):
        result = super().run(test)
        told = figures + chaos_calls.figures
        for line in told:
            print(line)
        if result.wasSuccessful():
            print("= " + "; ".join(told))
        return result


if __name__ == "__main__":
    harness.enter_namespace()
    harness.deadly_module()
    harness.load_tool()
    chaos.prefer()
    unittest.main(testRunner=Main(stream=sys.stdout, verbosity=2))
