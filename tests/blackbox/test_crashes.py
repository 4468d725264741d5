# SPDX-License-Identifier: Apache-2.0
"""What is kept of a worker's death: crash file, quarantine, watchdog, replay; and the filter of system calls."""
import re
import shutil
import signal
import subprocess
import unittest

import harness
from harness import Peer, Server, wait_until

CONFIG = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=1
crash_dir="crashes"
@MORE@
loadmodule "sl.so"
loadmodule "textops.so"
loadmodule "@DEADLY@"
request_route {
  if (is_present_hf("X-Deadly") && !deadly("$hdr(X-Deadly)")) {
    sl_send_reply("403", "Refused");
    exit;
  }
  sl_send_reply("200", "OK");
}
"""
DEADLY_LINE = 10


def config(more=""):
    """CONFIG with further parameters."""
    return CONFIG.replace("@MORE@", more).replace("@DEADLY@", str(harness.deadly_module()))


def deadly(peer, port, how, call_id="deadly"):
    """Sends the request that makes a worker die `how`; its bytes."""
    data = peer.request("OPTIONS", port, call_id).replace(b"Max-Forwards", f"X-Deadly: {how}\r\nMax-Forwards".encode())
    peer.send(data, port)
    return data


def crash_files(server):
    """Finished crash files, oldest first."""
    return sorted((server.folder / "crashes").glob("*.crash"))


def next_file(server, number, seconds=5):
    """Waits for crash file `number` (from 1); ({key: value}, frames, message)."""
    path = wait_until(lambda: len(crash_files(server)) >= number and crash_files(server), seconds, f"crash file {number}")[-1]
    head, _, message = path.read_bytes().partition(b"\n\n")
    lines = [line.split(": ", 1) for line in head.decode().splitlines()[1:]]
    fields = dict(lines)
    assert int(fields["message"]) == len(message), fields
    return fields, [value for key, value in lines if key == "frame"], message


class CrashFiles(unittest.TestCase):
    def test_a_fault_leaves_message_place_and_backtrace(self):
        with Server(config()) as server, Peer() as peer:
            sent = deadly(peer, server.port, "segv")
            fields, frames, message = next_file(server, 1)
            self.assertEqual(sent, message)
            self.assertEqual("fault", fields["cause"])
            self.assertEqual("11 SIGSEGV", fields["signal"])
            self.assertEqual("0x0000000000000000", fields["address"])
            self.assertEqual("script", fields["stage"])
            self.assertEqual(f"{server.config}:{DEADLY_LINE}", fields["script"])
            self.assertEqual(f"127.0.0.1:{peer.port}", fields["source"])
            self.assertEqual(f"127.0.0.1:{server.port}", fields["destination"])
            self.assertEqual(f"udp:127.0.0.1:{server.port}", fields["socket"])
            self.assertEqual(str(server.config), fields["config"])
            self.assertEqual(("1", "no"), (fields["deaths"], fields["quarantined"]))
            self.assertEqual(0o600, crash_files(server)[0].stat().st_mode & 0o777)
            self.assertEqual(0o700, (server.folder / "crashes").stat().st_mode & 0o777)
            found = re.search(r" (\S*deadly\.so)\+(0x[0-9a-f]+)", frames[0])
            self.assertTrue(found, frames)
            if shutil.which("addr2line"):
                where = subprocess.run(["addr2line", "-e", found.group(1), found.group(2)], capture_output=True, text=True, check=True)
                self.assertIn("deadly.cpp:", where.stdout)
            self.assertTrue(any("ser+0x" in frame for frame in frames), frames)
            self.assertEqual(200, peer.ask(server.port, "after", tries=3))

    def test_every_way_to_die_is_told(self):
        with Server(config("crash_quarantine_deaths=0")) as server, Peer() as peer:
            expected = [("abort", "fault", "6 SIGABRT"), ("ill", "fault", "4 SIGILL"), ("fpe", "fault", "8 SIGFPE"),
                        ("bus", "fault", "7 SIGBUS"), ("stack", "fault", "11 SIGSEGV"), ("kill", "outside", "9 SIGKILL"),
                        ("exit", "exit", None)]
            for number, (how, cause, by) in enumerate(expected, 1):
                deadly(peer, server.port, how)
                fields, _, message = next_file(server, number)
                self.assertEqual((cause, by), (fields["cause"], fields.get("signal")), how)
                self.assertIn(f"X-Deadly: {how}\r\n".encode(), message)
                self.assertEqual(str(number) if cause == "fault" else "0", fields["deaths"], how)
                # A worker that never finishes a message is another story.
                self.assertEqual(200, peer.ask(server.port, f"after-{how}", tries=5))
            self.assertEqual("3", fields["status"])

    def test_the_newest_are_kept(self):
        with Server(config("crash_quarantine_deaths=0\ncrash_files=2")) as server, Peer() as peer:
            for number in range(4):
                deadly(peer, server.port, "segv", f"d{number}")
                wait_until(lambda want=f"Call-ID: d{number}\r\n".encode(): any(want in p.read_bytes() for p in crash_files(server)), 5,
                           "the next crash file")
                self.assertEqual(200, peer.ask(server.port, f"a{number}", tries=5))
            wait_until(lambda: len(crash_files(server)) == 2, 2, "the oldest to be removed")

    def test_without_files_the_server_runs(self):
        for more, warning in (("crash_dir=\"\"", False), ("crash_dir=\"/proc/nowhere\"", True)):
            with Server(config().replace('crash_dir="crashes"', more)) as server, Peer() as peer:
                self.assertEqual(200, peer.ask(server.port))
                deadly(peer, server.port, "segv")
                self.assertEqual(200, peer.ask(server.port, "after", tries=3))
                self.assertEqual(warning, "there will be no crash files" in server.log(), server.log())
                self.assertEqual([], crash_files(server))


class Quarantine(unittest.TestCase):
    def test_three_deaths_and_it_is_dropped(self):
        with Server(config()) as server, Peer() as peer:
            for number in range(1, 4):
                deadly(peer, server.port, "segv", f"d{number}")
                fields, _, _ = next_file(server, number)
                self.assertEqual(str(number), fields["deaths"])
            self.assertEqual("yes", fields["quarantined"])
            deadly(peer, server.port, "segv", "d4")
            self.assertEqual(200, peer.ask(server.port, "other", tries=3))
            self.assertEqual(3, len(crash_files(server)))

    def test_deaths_from_outside_do_not_count(self):
        with Server(config()) as server, Peer() as peer:
            for number in range(1, 5):
                deadly(peer, server.port, "kill", f"d{number}")
                fields, _, _ = next_file(server, number)
                self.assertEqual(("0", "no"), (fields["deaths"], fields["quarantined"]))

    def test_it_stands_in_the_statistics(self):
        server = Server(config('statistics="ser.stat"'))
        with server, Peer() as peer:
            for number in range(1, 4):
                deadly(peer, server.port, "segv")
                next_file(server, number)
            deadly(peer, server.port, "segv")
            self.assertEqual(200, peer.ask(server.port, "other", tries=3))
            statistics = server.statistics()
            self.assertEqual(1, statistics["core.quarantine_drops"])
            self.assertEqual(1, statistics["core.quarantined"])
            listed = [name for name in statistics if name.startswith("core.quarantined{")]
            self.assertEqual(1, len(listed), listed)
            self.assertRegex(listed[0], r'fingerprint="0x[0-9a-f]{16}",stage="script",deaths="3"')
            self.assertTrue(500 < statistics[listed[0]] <= 600, statistics[listed[0]])


class Watchdog(unittest.TestCase):
    def test_a_loop_is_ended_and_told(self):
        with Server(config("worker_watchdog=100")) as server, Peer() as peer:
            deadly(peer, server.port, "loop")
            fields, frames, _ = next_file(server, 1, seconds=10)
            self.assertEqual(("watchdog", "6 SIGABRT"), (fields["cause"], fields["signal"]))
            self.assertEqual("1", fields["deaths"])
            self.assertIn("deadly.so+0x", frames[0])
            self.assertEqual(200, peer.ask(server.port, "after", tries=3))


class Replay(unittest.TestCase):
    def replay(self, *args):
        return subprocess.run([harness.binary(), "replay", *map(str, args)], capture_output=True, timeout=30, check=False,
                              stdin=subprocess.DEVNULL)

    def test_it_dies_again_and_sends_nothing(self):
        with Server(config()) as server, Peer() as peer:
            deadly(peer, server.port, "segv")
            next_file(server, 1)
            path = crash_files(server)[0]
            got = self.replay(path)
            self.assertEqual(-signal.SIGSEGV, got.returncode, got.stderr)
            survivable = server.folder / "other.cfg"
            survivable.write_text(server.config.read_text().replace("&& !deadly(\"$hdr(X-Deadly)\")", "&& method==\"BYE\""))
            got = self.replay(path, "-f", survivable)
            self.assertEqual(0, got.returncode, got.stderr)
            self.assertIn(b"SIP/2.0 200 OK\r\n", got.stdout)
            self.assertIn(b"survived", got.stderr)
            self.assertIsNone(peer.receive(0.2), "a replay answered")

    def test_what_is_no_crash_file_is_refused(self):
        for words in ([], ["/nonexistent.crash"], [__file__], ["a", "b"]):
            got = self.replay(*words)
            self.assertEqual(1, got.returncode)
            self.assertEqual(1, len(harness.error_lines(got.stderr.decode())), got.stderr)


class Seccomp(unittest.TestCase):
    def test_workers_run_nothing_and_write_nothing(self):
        with Server(config("worker_seccomp=yes")) as server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            deadly(peer, server.port, "create")
            self.assertEqual(403, harness.status(peer.receive()))
            deadly(peer, server.port, "exec")
            fields, frames, _ = next_file(server, 1)
            self.assertEqual(("fault", "31 SIGSYS"), (fields["cause"], fields["signal"]))
            self.assertTrue(any("deadly.so+0x" in frame for frame in frames), frames)
            self.assertEqual(200, peer.ask(server.port, "after", tries=3))

    def test_it_is_a_switch(self):
        with Server(config()) as server, Peer() as peer:
            deadly(peer, server.port, "create")
            self.assertEqual(200, harness.status(peer.receive()))


if __name__ == "__main__":
    harness.main()
