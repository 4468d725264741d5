# SPDX-License-Identifier: Apache-2.0
"""Runs the real server for black-box tests: standard library only.

A test file runs in a network namespace of its own when the system lets it (then ports are fixed: 5060 the server, 5070 the
callee, 5080 the caller); otherwise on plain loopback with free ports. The binary is $SER_BINARY or --binary PATH."""
import contextlib
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
MARK = "SER_BLACKBOX_NAMESPACE"


def enter_namespace():
    """Starts this script again in a new network namespace with lo up; goes on without where that is refused."""
    if MARK in os.environ:
        if os.environ[MARK] == "yes":
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    for how in (["unshare", "-n"], ["unshare", "-rn"]):
        probe = subprocess.run([*how, "ip", "link", "set", "lo", "up"], capture_output=True, check=False) \
            if shutil.which("unshare") and shutil.which("ip") else None
        if probe is not None and probe.returncode == 0:
            os.environ[MARK] = "yes"
            os.execvp(how[0], [*how, sys.executable, *sys.argv])
    os.environ[MARK] = "no"


def main():
    """Entry of each test file."""
    enter_namespace()
    if "--binary" in sys.argv:
        at = sys.argv.index("--binary")
        os.environ.setdefault("SER_BINARY", sys.argv[at + 1])
        del sys.argv[at:at + 2]
    unittest.main(verbosity=1)


def binary():
    """The server under test."""
    path = os.environ.get("SER_BINARY", str(TOP / "build/release/ser"))
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is no program: build it or name another by --binary")
    return path


def free_port(wanted):
    """`wanted` in a namespace of our own, else a port nobody uses at the moment, of four digits: sipsak cuts longer ones."""
    if os.environ.get(MARK) == "yes":
        return wanted
    for port in range(6000 + wanted % 1000 + os.getpid() % 97, 10000):
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise AssertionError("no free port")


def wait_until(condition, seconds, what):
    """Polls `condition`; its first true value, or an AssertionError that says what did not happen."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.005)


def udp_bound(port):
    """Whether some process of this namespace has a UDP socket on the port of 127.0.0.1 or of every address."""
    rows = Path("/proc/net/udp").read_text().splitlines()[1:] + Path("/proc/net/udp6").read_text().splitlines()[1:]
    local = [row.split()[1].rsplit(":", 1) for row in rows]
    return any(int(number, 16) == port and (address in ("0100007F", "00000000") or set(address) == {"0"}) for address, number in local)


def process_rows():
    """(pid, state, parent, session) of every process."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                yield int(entry.name), fields[0], int(fields[1]), int(fields[3])


def title(pid):
    """Command line of a process, as ps shows it."""
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


class Server:
    """One running server with its own folder. Use as `with Server(config) as server:`."""

    def __init__(self, config, *args, port=None, wait=True):
        self.folder = Path(tempfile.mkdtemp(prefix="ser-blackbox-"))
        self.port = port or free_port(5060)
        self.pid_file = self.folder / "ser.pid"
        self.stat_file = self.folder / "ser.stat"
        self.log_file = self.folder / "ser.log"
        self.config = self.folder / "ser.cfg"
        self.config.write_text(config.replace("@PORT@", str(self.port)))
        self.args = [binary(), "-f", str(self.config), "-P", str(self.pid_file), "-w", str(self.folder), "-DD", "-E", *args]
        self.wait = wait
        self.process = None

    def __enter__(self):
        try:
            with self.log_file.open("wb") as log:
                # Crash files go to its own folder, not to the machine's.
                env = {**os.environ, "STATE_DIRECTORY": str(self.folder / "state")}
                self.process = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                                env=env)
            if self.wait:
                wait_until(self._ready, 10, "the server to listen")
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log()}")
        return udp_bound(self.port) and self.pid_file.exists()

    def __exit__(self, kind, value, trace):
        # Whatever the test did, its processes end with it; only what this test started is touched.
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(3)
        for pid in self.members():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if self.process:
            self.process.wait()
        if kind is not None:
            sys.stderr.write(f"--- log of the server\n{self.log()[-4000:]}\n---\n")
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        """What it wrote to stdout and stderr so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def members(self):
        """Living processes of the server's session, the supervisor too."""
        if not self.process:
            return []
        return sorted(pid for pid, state, _, session in process_rows() if session == self.process.pid and state not in "ZX")

    def children(self):
        """Pids of the supervisor's living children."""
        return sorted(pid for pid, state, parent, _ in process_rows() if parent == self.process.pid and state not in "ZX")

    def receivers(self):
        """Pids of the datagram workers, by process title."""
        return [pid for pid in self.children() if "receiver" in title(pid)]

    def child_pids(self):
        """As children(), cheap enough to be asked every millisecond."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with contextlib.suppress(OSError):
            return [int(pid) for pid in path.read_text().split()]
        return self.children()

    def await_successor(self, before, seconds=5.0, kind="receiver"):
        """Seconds until a worker of that kind (a word of its title) is there that is not among `before`; None when none comes."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            if any(pid not in before and kind in title(pid) for pid in self.child_pids()):
                return time.monotonic() - start
            time.sleep(0.001)
        return None

    def stop(self, how=signal.SIGTERM, seconds=1.0):
        """Signals the supervisor; (exit code, seconds it took). Fails when it takes longer."""
        start = time.monotonic()
        self.process.send_signal(how)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"still there {seconds} s after {how!r}") from error
        return code, time.monotonic() - start

    def assert_nothing_left(self, case):
        """No process, pid file or socket of it after its end."""
        wait_until(lambda: not self.members(), 0.5, f"processes of the server to be gone: {[(p, title(p)) for p in self.members()]}")
        case.assertFalse(self.pid_file.exists(), "the pid file was left behind")
        case.assertFalse(udp_bound(self.port), f"port {self.port} is still bound")

    def statistics(self):
        """SIGUSR1, then the statistics file as {name: value}; per worker: `core.rcv_requests{worker="1"}`."""
        # Each writing is a new file put in the place of the old one; its time alone may be the same.
        before = self.stat_file.stat().st_ino if self.stat_file.exists() else 0
        self.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: self.stat_file.exists() and self.stat_file.stat().st_ino != before and self.stat_file.stat().st_size, 3,
                   "the statistics file to be written")
        rows = re.findall(r"^(\S+(?:\{[^}\n]*\})?) (-?\d+)$", self.stat_file.read_text(), re.M)
        return {name: int(value) for name, value in rows}


@functools.cache
def deadly_module():
    """Builds the module that dies on command (tests/chaos/module) when it is not built yet; the path for loadmodule."""
    source, build = TOP / "tests/chaos/module", TOP / "build/deadly"
    for step in (["cmake", "-S", str(source), "-B", str(build), f"-DSER_INCLUDE={TOP / 'src'}"], ["cmake", "--build", str(build)]):
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(step)}:\n{done.stdout}{done.stderr}")
    return build / "deadly.so"


def load_tool():
    """Path of ser-load ($SER_LOAD, else that of the build `bench`, brought up to date)."""
    if "SER_LOAD" not in os.environ:
        for step in (["cmake", "--preset", "bench"], ["cmake", "--build", "--preset", "bench", "--target", "ser_load"]):
            subprocess.run(step, cwd=TOP, stdout=subprocess.DEVNULL, check=True)
        os.environ["SER_LOAD"] = str(TOP / "build/bench/ser-load")
    return os.environ["SER_LOAD"]


def run_once(*args, seconds=10):
    """Runs the server for something that ends by itself (-c, -v, an error); the CompletedProcess with text."""
    return subprocess.run([binary(), *args], capture_output=True, text=True, errors="replace", timeout=seconds,
                          stdin=subprocess.DEVNULL, check=False)


def error_lines(text):
    """Lines that tell of an error."""
    return [line for line in text.splitlines()
            if re.search(r"\b(error|critical|fatal)\b", line, re.I) and not re.fullmatch(r"\d+ errors?, \d+ warnings?", line)]


class Peer:
    """A UDP end point of the test."""

    def __init__(self, port=0, host=HOST):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.host, self.port = self.socket.getsockname()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data, port, host=HOST):
        """One datagram."""
        self.socket.sendto(data, (host, port))

    def receive(self, seconds=2.0):
        """The next datagram, or None when none comes in time (0: only what is there)."""
        self.socket.settimeout(seconds or 0.0)
        try:
            return self.socket.recv(65536)
        except (TimeoutError, BlockingIOError):
            return None

    def request(self, method, port, call_id="c1", uri=None, body=b""):
        """A small well-formed request from this end point, as bytes."""
        head = (f"{method} {uri or f'sip:{HOST}:{port}'} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK-{call_id};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:a@{self.host}>;tag=1\r\nTo: <sip:b@{HOST}>\r\nCall-ID: {call_id}\r\n"
                f"CSeq: 1 {method}\r\nContact: <sip:a@{self.host}:{self.port}>\r\nContent-Length: {len(body)}\r\n\r\n")
        return head.encode() + body

    def ask(self, port, call_id="c1", tries=1, seconds=2.0):
        """Sends an OPTIONS; the status code of the answer, None without one."""
        for _ in range(tries):
            self.send(self.request("OPTIONS", port, call_id), port)
            answer = self.receive(seconds)
            while answer is not None and f"Call-ID: {call_id}\r\n".encode() not in answer:
                answer = self.receive(seconds)
            if answer is not None:
                return status(answer)
        return None


def status(message):
    """Status code of a response, None of a request."""
    found = re.match(rb"SIP/2\.0 (\d{3}) ", message)
    return int(found.group(1)) if found else None


def start_sipp(*args):
    """Starts sipp quietly in a folder of its own; the caller waits for it."""
    folder = tempfile.mkdtemp(prefix="ser-sipp-")
    process = subprocess.Popen(["sipp", *args, "-nostdin", "-i", HOST], cwd=folder, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
                               env={**os.environ, "TERM": "dumb"})
    process.folder = Path(folder)
    return process


def sipp_errors(process):
    """What a sipp with -trace_err complained about."""
    return "".join(file.read_text(errors="replace") for file in process.folder.glob("*_errors.log"))


def end_sipp(process):
    """Ends it if need be and removes its folder."""
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stderr.close()
    shutil.rmtree(process.folder, ignore_errors=True)


ANSWER_ALL = """#!KAMAILIO
listen=udp:127.0.0.1:@PORT@
children=2
loadmodule "sl.so"
request_route {
  sl_send_reply("200", "OK");
}
"""
