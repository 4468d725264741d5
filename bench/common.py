# SPDX-License-Identifier: Apache-2.0
"""What the measuring scripts share: servers as process trees, their CPU time, the load tool. Standard library only."""
import contextlib
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)
SERVER, CALLEE, CALLER = "127.0.0.1:25060", "127.0.0.1:25070", "127.0.0.1:25080"
# Workload: what the load tool does, which configuration the servers run, and for how many seconds afterwards transactions
# are still there (wt_timer in configs/*-call-*.cfg and a tick): what it costs to end them counts, too.
WORKLOADS = {
    "w1-short": {"load": "w1", "flags": [], "config": "short"},
    "w1-long": {"load": "w1", "flags": ["--record-route"], "config": "long"},
    "w2-short": {"load": "w2", "flags": ["--record-route"], "config": "call-short", "stay": 5.5},
    "w2-long": {"load": "w2", "flags": ["--record-route"], "config": "call-long", "stay": 5.5},
    "w3-short": {"load": "w3", "flags": ["--record-route"], "config": "call-short", "stay": 5.5},
    "w3-long": {"load": "w3", "flags": ["--record-route"], "config": "call-long", "stay": 5.5},
    "w6-short": {"load": "w6", "flags": [], "config": "w6-short"},
    "w6-long": {"load": "w6", "flags": [], "config": "w6-long"},
}


class Failure(Exception):
    """One clear line for the user."""


def private_network():
    """Starts this script again in a network namespace of its own where that is allowed, so that ports never collide."""
    if os.environ.get("SER_BENCH_NAMESPACE"):
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as s:
            request = struct.pack("16sh22x", b"lo", 0)
            flags = struct.unpack("16sh22x", fcntl.ioctl(s, 0x8913, request))[1]  # SIOCGIFFLAGS
            fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", flags | 1))      # SIOCSIFFLAGS, IFF_UP
        return
    for way in (["unshare", "-n"], ["unshare", "-Urn"]):
        if shutil.which("unshare") and subprocess.run(way + ["true"], capture_output=True).returncode == 0:
            os.environ["SER_BENCH_NAMESPACE"] = "1"
            os.execvp(way[0], way + [sys.executable] + sys.argv)
    print("no network namespace allowed here: the ports 25060, 25070 and 25080 must be free", file=sys.stderr)


def tree(pid):
    """The process and all its descendants."""
    children = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path) as f:
            text = f.read()
            children.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(text.split(" ", 1)[0]))
    found = [pid]
    for p in found:
        found += children.get(p, [])
    return found


def cpu_of(pid):
    """(run time in ns, user ticks, system ticks), summed over all threads of the process tree."""
    total, user, system = 0, 0, 0
    for p in tree(pid):
        for task in glob.glob(f"/proc/{p}/task/*"):
            with contextlib.suppress(OSError):
                with open(task + "/schedstat") as f:
                    total += int(f.read().split()[0])
                with open(task + "/stat") as f:
                    fields = f.read().rpartition(")")[2].split()
                user += int(fields[11])
                system += int(fields[12])
    return total, user, system


def pss_kib(pid):
    total = 0
    for p in tree(pid):
        with open(f"/proc/{p}/smaps_rollup") as f:
            total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
    return total


class Kamailio:
    """Finds Kamailio, or unpacks Debian's package beside the build without installing it (so that no daemon starts)."""

    def __init__(self, build):
        self.why, self.environment, self.modules = "", {}, []
        self.program = shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin:/usr/local/sbin")
        if not self.program:
            self._unpack(os.path.join(build, "kamailio"))
        if self.program:
            out = subprocess.run([self.program, "-v"], capture_output=True, text=True, env={**os.environ, **self.environment})
            found = re.search(r"version: kamailio (\S+)", out.stdout)
            self.version = found.group(1) if found else ""
            if not found:
                self.program, self.why = None, "does not start: " + (out.stderr.strip().splitlines() or ["?"])[-1]

    def _unpack(self, folder):
        libraries = os.path.join(folder, "usr/lib/x86_64-linux-gnu/kamailio")
        if not os.path.exists(folder + "/usr/sbin/kamailio"):
            if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
                self.why = "not installed, and there is no apt-get here"
                return
            os.makedirs(folder, exist_ok=True)
            got = subprocess.run(["apt-get", "download", "kamailio"], cwd=folder, capture_output=True, text=True)
            packages = glob.glob(folder + "/kamailio_*.deb")
            if got.returncode != 0 or not packages:
                self.why = "not installed, and apt-get cannot fetch it: " + (got.stderr.strip().splitlines() or ["?"])[-1]
                return
            subprocess.run(["dpkg-deb", "-x", packages[0], folder], check=True)
        self.program = folder + "/usr/sbin/kamailio"
        self.environment = {"LD_LIBRARY_PATH": libraries}
        self.modules = ["-L", libraries + "/modules"]


class Setup:
    """Where the programs are, and how each kind of server is started."""

    def __init__(self, build, ser=None):
        self.build = os.path.abspath(build)
        self.ser = os.path.abspath(ser) if ser else self._find_ser()
        self.kamailio = None
        self.statistics = None  # file of our server that runs
        for name in ("ser-load", "ser-bare"):
            if not os.access(f"{self.build}/{name}", os.X_OK):
                raise Failure(f"{self.build}/{name} is missing: cmake --preset bench && cmake --build --preset bench")

    def _find_ser(self):
        for path in (self.build + "/ser", SOURCE + "/build/release/ser"):
            if os.access(path, os.X_OK):
                return path
        return None

    def skipped(self, kind):
        """Why this kind of server cannot be measured here; empty: it can."""
        if kind == "ours":
            return "" if self.ser else "no ser in the build directory nor at build/release/ser"
        if kind == "kamailio":
            self.kamailio = self.kamailio or Kamailio(self.build)
            return "" if self.kamailio.program else self.kamailio.why
        return ""

    def command(self, kind, workload, scratch, children=1, config=None):
        """(command line, environment) of a server of this kind for the workload."""
        if kind.startswith("bare"):
            line = [self.build + "/ser-bare", "--listen", SERVER, "--workers", str(children)]
            if WORKLOADS[workload]["load"] != "w6":
                line += ["--client", CALLER, "--to", CALLEE]
            return line + (["--single"] if kind == "bare-single" else []), {}
        name = {"ours": "ser", "kamailio": "kamailio"}[kind]
        config = config or f"{HERE}/configs/{name}-{WORKLOADS[workload]['config']}.cfg"
        with open(config) as f:
            text = f.read()
        if children != 1:
            text, changed = re.subn(r"(?m)^children\s*=\s*\d+", f"children={children}", text)
            if changed != 1:
                raise Failure(f"{config}: one line children=N is needed")
        config = f"{scratch}/{name}.cfg"
        with open(config, "w") as f:
            f.write(text)
        line = ["-f", config, "-DD", "-E", "-l", "udp:" + SERVER, "-P", f"{scratch}/{name}.pid"]
        if kind == "ours":
            self.statistics = f"{scratch}/statistics"
            return [self.ser, "-s", self.statistics] + line, {}
        memory = "64" if "stay" not in WORKLOADS[workload] else "6144"
        tuned = ["-x", "tlsf", "-X", "fm", "-m", memory, "-M", "8", "-Y", scratch]
        return [self.kamailio.program] + tuned + self.kamailio.modules + line, self.kamailio.environment

    def load(self, workload, kind, arguments, check=True, what=None):
        """Runs the load tool; its machine-readable line as a dictionary. `what`: in place of the workload's own."""
        line = [self.build + "/ser-load", "--workload", what or WORKLOADS[workload]["load"], "--to", SERVER, "--caller", CALLER,
                "--quiet"]
        if WORKLOADS[workload]["load"] != "w6":
            line += ["--callee", CALLEE]
        line += ["--bare"] if kind.startswith("bare") else WORKLOADS[workload]["flags"]
        out = subprocess.run(line + [str(a) for a in arguments], capture_output=True, text=True)
        if check and out.returncode != 0:
            raise Failure(f"{workload} against {kind}: {out.stderr.strip()}")
        return json.loads(out.stdout) if out.stdout else {"ok": False, "error": out.stderr.strip()}


def same_scripts():
    """Both servers must run the same routing: from the first route block on, the texts are compared."""
    for name in sorted({w["config"] for w in WORKLOADS.values()}):
        texts = []
        for server in ("ser", "kamailio"):
            with open(f"{HERE}/configs/{server}-{name}.cfg") as f:
                texts.append(f.read().partition("request_route")[2])
        if texts[0] != texts[1] or not texts[0]:
            raise Failure(f"configs/ser-{name}.cfg and kamailio-{name}.cfg do not route alike")


@contextlib.contextmanager
def server(setup, kind, workload, cores=None, children=1, prefix=(), patience=10.0, config=None, probe=True):
    """A running server that has answered once; yields its pid. Stopped by its pid, and all it started with it."""
    with tempfile.TemporaryDirectory(prefix="ser-bench-") as scratch:
        line, environment = setup.command(kind, workload, scratch, children, config)
        pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
        with open(scratch + "/log", "w") as log:
            process = subprocess.Popen([*prefix, *line], stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=pin,
                                       env={**os.environ, **environment}, cwd=scratch)
        members = []
        try:
            end = time.monotonic() + patience
            time.sleep(0.05)
            while probe:
                answer = setup.load(workload, kind, ["--count", 1, "--timeout", int(patience * 30)], check=False)
                if answer["ok"]:
                    break
                if process.poll() is not None or time.monotonic() > end:
                    with open(scratch + "/log") as f:
                        last = f.read().strip().splitlines()[-3:]
                    state = f"exit {process.returncode}" if process.poll() is not None else answer["error"]
                    raise Failure(f"{kind} does not serve {workload}: {state}; its last words: {' | '.join(last)}")
                time.sleep(0.05)
            yield process.pid
            if process.poll() is not None:
                raise Failure(f"{kind} ended by itself during {workload}: exit {process.returncode}")
        finally:
            members = tree(process.pid)
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(patience + 10)
            except subprocess.TimeoutExpired:
                print(f"{kind} did not stop on SIGTERM: killed", file=sys.stderr)
                for pid in members:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                process.wait()


def stay(workload, kind):
    """Waits until the transactions of the last run are no more."""
    if kind != "bare":
        time.sleep(WORKLOADS[workload].get("stay", 0))


def statistics_of(setup, pid):
    """The statistics of our server that runs, by name."""
    path = setup.statistics
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)
    os.kill(pid, signal.SIGUSR1)
    for _ in range(200):
        time.sleep(0.05)
        if os.path.exists(path):
            with open(path) as f:
                return {name: int(value) for name, value in (line.rsplit(" ", 1) for line in f)}
    raise Failure("our server writes no statistics")


def spread(values, digits=2):
    """'median (min-max)'."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def choose(text, known, what):
    chosen = [word for word in text.split(",") if word]
    for word in chosen:
        if word not in known:
            raise Failure(f"unknown {what} '{word}': known are {', '.join(known)}")
    return chosen


def main(function):
    """Runs a script's main; a Failure becomes one line and exit 1."""
    try:
        sys.exit(function())
    except Failure as failure:
        print(f"{os.path.basename(sys.argv[0])}: FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
