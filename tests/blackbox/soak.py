# SPDX-License-Identifier: Apache-2.0
"""Calls for minutes through the router: none is lost, no process dies, no memory grows. SOAK_SECONDS says how long (1800)."""
import os
import unittest
from pathlib import Path

import harness
from harness import HOST, Server, end_sipp, free_port, sipp_errors, start_sipp, udp_bound, wait_until

SECONDS, RATE = int(os.environ.get("SOAK_SECONDS", "1800")), 100
WARM_UP = max(SECONDS // 6, 2)
GROWTH_KIB = 256  # pages touched for the first time by a rare message, and noise of the allocator of libc
SEGMENT_GROWTH = 32 * 1024  # a worker keeps a spare piece of up to 8 KiB


def memory_kib(server):
    """Summed proportional set size of all its processes, without what is backed by files: that depends on who else runs."""
    total = 0
    for pid in server.members():
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                total += int(line.split()[1])
    return total


def open_files(server):
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in server.members())


def segment_use(server):
    """Bytes in use by account."""
    return {name: value for name, value in server.statistics().items() if name.startswith("shm.used{")}


class Soak(unittest.TestCase):
    def calls(self, server, callee_port, caller_port, seconds):
        callee = start_sipp("-sn", "uas", "-p", str(callee_port))
        self.addCleanup(end_sipp, callee)
        wait_until(lambda: udp_bound(callee_port), 5, "the callee to listen")
        # Two workers may send a 180 after the 200 that sipp's callee sends in the same breath: UDP allows it, and it is no loss.
        caller = start_sipp("-sn", "uac", f"{HOST}:{server.port}", "-p", str(caller_port), "-m", str(seconds * RATE), "-r", str(RATE),
                            "-d", "100", "-default_behaviors", "all,-abortunexp", "-timeout", str(seconds + 60), "-trace_err")
        self.addCleanup(end_sipp, caller)
        code = caller.wait(seconds + 90)
        self.assertEqual(0, code, "the caller saw a failed call:\n" + sipp_errors(caller)[:3000])
        end_sipp(callee)

    def test_no_loss_no_growth(self):
        server = Server("", port=free_port(5060))
        callee_port, caller_port = free_port(5070), free_port(5080)
        config = (harness.TOP / "etc/ser.cfg").read_text()
        server.config.write_text(config.replace("5060", str(server.port)).replace("5070", str(callee_port)))
        server.args += ["-s", str(server.stat_file)]
        with server:
            self.calls(server, callee_port, caller_port, WARM_UP)
            members, files, held = server.members(), open_files(server), segment_use(server)
            before = memory_kib(server)
            self.calls(server, callee_port, caller_port, SECONDS - WARM_UP)
            after, held_after = memory_kib(server), segment_use(server)
            self.assertEqual(members, server.members(), "a process died and was replaced")
            self.assertEqual(files, open_files(server), "descriptors leak")
            self.assertLessEqual(after - before, GROWTH_KIB, f"{before} KiB after the warm-up, {after} KiB at the end")
            self.assertEqual(set(held), set(held_after))
            for account, used in held.items():
                self.assertLessEqual(held_after[account] - used, SEGMENT_GROWTH, f"{account}: {used} bytes, then {held_after[account]}")
            self.assertEqual(0, server.stop()[0], server.log())
            server.assert_nothing_left(self)
            print(f"= {SECONDS * RATE} calls in {SECONDS} s, {before} KiB then, {after} KiB now")


if __name__ == "__main__":
    harness.main()
