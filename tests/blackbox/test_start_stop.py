# SPDX-License-Identifier: Apache-2.0
"""Start, stop, signals, a dead child, and what a start that fails leaves behind: nothing."""
import contextlib
import os
import re
import signal
import subprocess
import threading
import unittest

import harness
from harness import ANSWER_ALL, Peer, Server, run_once, wait_until


class Stop(unittest.TestCase):
    def stopped_by(self, how):
        with Server(ANSWER_ALL) as server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            code, _ = server.stop(how)
            self.assertEqual(0, code, server.log())
            server.assert_nothing_left(self)

    def test_sigterm(self):
        self.stopped_by(signal.SIGTERM)

    def test_sigint(self):
        self.stopped_by(signal.SIGINT)

    def test_sigterm_under_load(self):
        with Server(ANSWER_ALL) as server, Peer() as peer:
            going = threading.Event()
            datagram = peer.request("OPTIONS", server.port)

            def load():
                sent = 0
                while not going.is_set() and sent < 200000:
                    with contextlib.suppress(OSError):
                        peer.send(datagram, server.port)
                    sent += 1

            sender = threading.Thread(target=load)
            sender.start()
            try:
                self.assertIsNotNone(peer.receive())
                code, _ = server.stop()
            finally:
                going.set()
                sender.join()
            self.assertEqual(0, code, server.log())
            server.assert_nothing_left(self)


class PidFile(unittest.TestCase):
    def test_holds_the_supervisor(self):
        with Server(ANSWER_ALL) as server:
            self.assertEqual(str(server.process.pid), server.pid_file.read_text().strip())

    def test_stale_one_is_replaced(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        server = Server(ANSWER_ALL)
        server.pid_file.write_text(f"{gone.pid}\n")
        with server:
            wait_until(lambda: server.pid_file.read_text().strip() == str(server.process.pid), 2, "the pid file to be replaced")

    def test_living_one_refuses(self):
        server = Server(ANSWER_ALL, wait=False)
        server.pid_file.write_text(f"{os.getpid()}\n")
        with server:
            self.assertNotEqual(0, server.process.wait(5))
            self.assertEqual(1, len(harness.error_lines(server.log())), server.log())
            self.assertEqual(f"{os.getpid()}\n", server.pid_file.read_text(), "another's pid file was touched")
            self.assertEqual([], server.members())


class OtherUser(unittest.TestCase):
    """Started by root, served by nobody. Who is not root serves as himself: then only the rest of each test holds."""
    ROOT = os.geteuid() == 0
    USER = ["-u", "nobody", "-g", "nogroup"] if ROOT else []

    def owners(self, server):
        return {os.stat(f"/proc/{pid}").st_uid for pid in server.members()}

    def test_without_cap_kill_the_workers_stop_all_the_same(self):
        # Neither kill() nor PR_SET_PDEATHSIG reaches them then.
        server = Server(ANSWER_ALL, *self.USER)
        if self.ROOT:
            server.args = ["setpriv", "--bounding-set", "-kill", "--inh-caps", "-kill", *server.args]
        with server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            if self.ROOT:
                wait_until(lambda: len(self.owners(server)) == 2, 2, "the workers to be another user's")
            self.assertEqual(0, server.stop()[0], server.log())
            server.assert_nothing_left(self)
            self.assertNotIn("left behind", server.log())

    def test_without_workers_the_pid_file_is_written_before_the_drop(self):
        server = Server(ANSWER_ALL, *self.USER)
        server.args[server.args.index("-DD")] = "-D"
        with server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            self.assertEqual(str(server.process.pid), server.pid_file.read_text().strip())
            self.assertEqual(self.ROOT, 0 not in self.owners(server) and os.geteuid() == 0)
            self.assertEqual(0, server.stop()[0], server.log())
            # The folder is root's: nobody cannot remove the file from it, but empty it.
            self.assertEqual("" if self.ROOT else None, server.pid_file.read_text() if server.pid_file.exists() else None)


class FailedStart(unittest.TestCase):
    def refused(self, server, *words):
        with server:
            self.assertNotEqual(0, server.process.wait(5))
            lines = harness.error_lines(server.log())
            self.assertEqual(1, len(lines), server.log())
            for word in words:
                self.assertIn(word, lines[0])
            self.assertEqual([], server.members())
            self.assertFalse(server.pid_file.exists())

    def test_port_in_use(self):
        with Peer(harness.free_port(5060)) as other:
            self.refused(Server(ANSWER_ALL, port=other.port, wait=False), str(other.port))

    def test_unknown_user(self):
        self.refused(Server(ANSWER_ALL, "-u", "no-such-user-here", wait=False), "no-such-user-here")

    def test_missing_file(self):
        got = run_once("-f", "/nonexistent/ser.cfg", "-DD", "-E")
        self.assertNotEqual(0, got.returncode)
        self.assertEqual(1, len(harness.error_lines(got.stdout + got.stderr)), got.stderr)
        self.assertIn("/nonexistent/ser.cfg", got.stdout + got.stderr)

    def test_unknown_option(self):
        got = run_once("--no-such-option")
        self.assertNotEqual(0, got.returncode)
        self.assertIn("--no-such-option", got.stdout + got.stderr)


class Signals(unittest.TestCase):
    def test_version(self):
        got = run_once("-v")
        self.assertEqual(0, got.returncode)
        self.assertRegex(got.stdout, r"(?i)version.*\d+\.\d+\.\d+")

    def test_every_child_is_replaced_and_service_goes_on(self):
        with Server(ANSWER_ALL) as server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port, "before"))
            # The timer worker is the last to be started.
            wait_until(lambda: any("timer" in harness.title(pid) for pid in server.children()), 2, "all workers to be there")
            before = server.children()
            self.assertEqual(2, len(server.receivers()), [harness.title(p) for p in before])
            for number, victim in enumerate(before):
                os.kill(victim, signal.SIGKILL)
                wait_until(lambda v=victim: v not in server.children() and len(server.children()) == len(before), 2,
                           f"a successor of '{harness.title(victim)}'")
                self.assertEqual(200, peer.ask(server.port, f"after{number}"))
            self.assertEqual(2, len(server.receivers()))
            self.assertEqual(0, server.stop()[0])
            server.assert_nothing_left(self)

    def test_sigusr1_tells_statistics_to_log_and_file(self):
        server = Server(ANSWER_ALL)
        server.args += ["-s", str(server.stat_file)]
        with server, Peer() as peer:
            for number in range(10):
                self.assertEqual(200, peer.ask(server.port, f"n{number}"))
            figures = server.statistics()
            self.assertEqual(10, figures.get("core.rcv_requests"), figures)
            wait_until(lambda: "rcv_requests" in server.log(), 2, "the statistics in the log")
            self.assertEqual(200, peer.ask(server.port, "later"))

    def test_sighup_is_logged_and_harmless(self):
        with Server(ANSWER_ALL) as server, Peer() as peer:
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "SIGHUP" in server.log(), 2, "a line about SIGHUP")
            self.assertEqual(200, peer.ask(server.port))


class Daemon(unittest.TestCase):
    def test_starter_ends_and_the_daemon_serves(self):
        server = Server(ANSWER_ALL, wait=False)
        server.args = [a for a in server.args if a not in ("-DD", "-E")]
        daemon = 0
        with server, Peer() as peer:
            self.assertEqual(0, server.process.wait(5), server.log())
            wait_until(lambda: server.pid_file.exists() and re.fullmatch(r"\d+", server.pid_file.read_text().strip()), 5, "the pid file")
            daemon = int(server.pid_file.read_text())
            try:
                self.assertNotEqual(server.process.pid, daemon)
                self.assertEqual(200, peer.ask(server.port))
            finally:
                os.kill(daemon, signal.SIGTERM)
            wait_until(lambda: all(session != daemon and pid != daemon or state in "ZX"
                                   for pid, state, _, session in harness.process_rows()), 2, "the daemon to be gone")
            server.assert_nothing_left(self)


if __name__ == "__main__":
    harness.main()
