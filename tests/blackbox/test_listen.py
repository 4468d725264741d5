# SPDX-License-Identifier: Apache-2.0
"""Sockets and processes: where the server listens, which address it answers from, what it says of itself, and what its
processes are: identity, root, working folder, titles. And starts that fail: one clear line, nothing left behind."""
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness
from harness import HOST, Peer, Server, free_port, run_once, status, wait_until

REPLY = 'loadmodule "sl.so"\nrequest_route {\n  sl_send_reply("200", "OK");\n}\n'
NOBODY = pwd.getpwnam("nobody")
# Root of the machine, not of a user namespace with one identity only.
IS_ROOT = os.geteuid() == 0 and int(Path("/proc/self/uid_map").read_text().split()[2]) > 65534


def relay(port):
    """A request route that forwards everything to a port of this machine."""
    return f'request_route {{\n  forward("{HOST}", {port});\n}}\n'


def exchange(host, port, uri=None, local=None):
    """Sends an OPTIONS to host:port; (answer, address it came from)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    local = local or ("::1" if family == socket.AF_INET6 else HOST)
    shown = f"[{local}]" if ":" in local else local
    with socket.socket(family, socket.SOCK_DGRAM) as end:
        end.bind((local, 0))
        own = end.getsockname()[1]
        end.settimeout(2)
        end.sendto((f"OPTIONS {uri or 'sip:x@example.net'} SIP/2.0\r\nVia: SIP/2.0/UDP {shown}:{own};branch=z9hG4bK-l{own}\r\n"
                    f"Max-Forwards: 9\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: l{own}\r\nCSeq: 1 OPTIONS\r\n"
                    "Content-Length: 0\r\n\r\n").encode(), (host, port))
        answer, source = end.recvfrom(65536)
        return answer, source[0]


def status_field(pid, name):
    """One line of /proc/PID/status, split."""
    for line in (Path("/proc") / str(pid) / "status").read_text().splitlines():
        if line.startswith(name + ":"):
            return line.split()[1:]
    return []


def worker_titles(server):
    """Titles of all workers once the last one, the timer, is there (fork=yes)."""
    wait_until(lambda: "ser: timer" in [harness.title(pid) for pid in server.children()], 5, "the timer worker")
    return sorted(harness.title(pid) for pid in server.children())


class Addresses(unittest.TestCase):
    def answered(self, server, *hosts):
        for host in hosts:
            with self.subTest(host):
                answer, source = exchange(host, server.port)
                self.assertEqual(200, status(answer))
                self.assertEqual(host, source)

    def test_several_listeners(self):
        with Server("listen=udp:127.0.0.1:@PORT@\nlisten=127.0.0.2:@PORT@\nlisten=udp:[::1]:@PORT@\nchildren=2\n" + REPLY) as server:
            self.answered(server, "127.0.0.1", "127.0.0.2", "::1")
            titles = [one for one in worker_titles(server) if "receiver" in one]
            self.assertEqual(6, len(titles), titles)
            for address in ("127.0.0.1", "127.0.0.2", "[::1]"):
                self.assertEqual(2, sum(f"sock={address}:{server.port}" in one for one in titles), titles)
            shown = server.log()
            self.assertIn(f"Listening on\n  udp:127.0.0.1:{server.port}\n", shown)

    def test_wildcard_answers_from_the_address_that_was_asked(self):
        with Server("listen=udp:*:@PORT@\n" + REPLY) as server:
            self.answered(server, "127.0.0.1", "127.0.0.2", "127.1.2.3")

    def test_zeros_are_the_wildcard_too(self):
        with Server("listen=0.0.0.0:@PORT@\n" + REPLY) as server:
            self.answered(server, "127.0.0.1", "127.0.0.2")

    def test_ipv6_wildcard(self):
        with Server("listen=udp:[::]:@PORT@\n" + REPLY) as server:
            self.answered(server, "::1")

    def test_interface_and_default_port(self):
        with Server("port=@PORT@\nlisten=lo\n" + REPLY) as server:
            self.answered(server, "127.0.0.1", "::1")

    def test_host_name(self):
        with Server("listen=udp:localhost:@PORT@\n" + REPLY) as server:
            self.answered(server, "127.0.0.1")
            self.assertIn("  udp:127.0.0.1", server.log())

    def test_no_listen_line(self):
        for setting, ipv6 in (("", False), ("auto_bind_ipv6=yes\n", True)):
            with self.subTest(setting), Server("port=@PORT@\n" + setting + REPLY) as server:
                self.answered(server, "127.0.0.1")
                self.assertEqual(ipv6, f"  udp:[::1]:{server.port}\n" in server.log(), server.log())

    def test_command_line_adds_a_listener(self):
        with Server("listen=udp:127.0.0.1:@PORT@\n" + REPLY, "-l", f"udp:127.0.0.2:{free_port(5060)}") as server:
            self.answered(server, "127.0.0.1", "127.0.0.2")

    def test_a_group_is_a_listener_for_each_of_its_hosts(self):
        with Server("listen=udp:(127.0.0.1, 127.0.0.2):@PORT@\n" + REPLY, "-l", f"udp:(127.0.0.3,127.0.0.4):{free_port(5060)}") as server:
            self.answered(server, "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")

    def test_ser_port_applies_to_the_last_listen_line(self):
        with Server("listen=127.0.0.1\nport=@PORT@\nlisten=127.0.0.2\n" + REPLY.replace("request_route", "route")) as server:
            self.answered(server, "127.0.0.1", "127.0.0.2")

    def test_reuse_port_gives_each_worker_a_socket(self):
        with Server("listen=udp:127.0.0.1:@PORT@\nreuse_port=yes\nchildren=3\n" + REPLY) as server:
            self.answered(server, "127.0.0.1")
            rows = Path("/proc/net/udp").read_text().splitlines()
            self.assertEqual(3, sum(row.split()[1].endswith(f":{server.port:04X}") for row in rows[1:]))

    def test_socket_workers(self):
        with Server("listen=udp:127.0.0.1:@PORT@\nsocket_workers=3\nlisten=udp:127.0.0.2:@PORT@\nchildren=1\n" + REPLY) as server:
            titles = [one for one in worker_titles(server) if "receiver" in one]
            self.assertEqual(1, sum("sock=127.0.0.1" in one for one in titles), titles)
            self.assertEqual(3, sum("sock=127.0.0.2" in one for one in titles), titles)

    def test_ip_free_bind(self):
        config = "listen=udp:127.0.0.1:@PORT@\nlisten=udp:192.0.2.77:@PORT@\nip_free_bind=yes\n"
        with Server(config + REPLY) as server:
            self.answered(server, "127.0.0.1")

    def test_type_of_service(self):
        for setting, wanted in (("", 0x10), ("tos=IPTOS_DSCP_EF\n", 0xB8), ("tos=8\n", 8)):
            with self.subTest(setting), Server(setting + "listen=udp:127.0.0.1:@PORT@\n" + REPLY) as server, Peer() as peer:
                peer.socket.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
                peer.socket.settimeout(2)
                peer.send(peer.request("OPTIONS", server.port), server.port)
                _, extra, _, _ = peer.socket.recvmsg(65536, 64)
                self.assertEqual([wanted], [data[0] for _, kind, data in extra if kind == socket.IP_TOS])


class Via(unittest.TestCase):
    def own_via(self, settings, to="127.0.0.1", port=None):
        """The Via the server puts on a request it forwards, and the address that came from."""
        with Peer(free_port(5070)) as callee, Server(settings + relay(callee.port)) as server, Peer(host=to) as caller:
            caller.send(caller.request("OPTIONS", server.port), port or server.port, to)
            callee.socket.settimeout(2)
            request, source = callee.socket.recvfrom(65536)
            via = request.decode().split("\r\n")[1]
            return via.replace(str(server.port), "PORT"), source[0]

    def test_own_address(self):
        self.assertRegex(self.own_via("listen=udp:127.0.0.1:@PORT@\n")[0], r"^Via: SIP/2.0/UDP 127\.0\.0\.1:PORT;branch=z9hG4bK[^;]*$")

    def test_advertise(self):
        via, _ = self.own_via('listen=udp:127.0.0.1:@PORT@ advertise 203.0.113.9:5099\n')
        self.assertRegex(via, r"^Via: SIP/2.0/UDP 203\.0\.113\.9:5099;branch=")

    def test_advertised_address_and_port(self):
        listen = "listen=udp:127.0.0.1:@PORT@\n"
        self.assertRegex(self.own_via("advertised_address=sip.example.org\nadvertised_port=5099\n" + listen)[0],
                         r"^Via: SIP/2.0/UDP sip\.example\.org:5099;")
        self.assertRegex(self.own_via("advertised_address=203.0.113.9\n" + listen)[0], r"^Via: SIP/2.0/UDP 203\.0\.113\.9:PORT;")
        self.assertRegex(self.own_via("advertised_port=5099\n" + listen)[0], r"^Via: SIP/2.0/UDP 127\.0\.0\.1:5099;")
        self.assertRegex(self.own_via("advertised_address=203.0.113.9\nport=@PORT@\n")[0], r"^Via: SIP/2.0/UDP 203\.0\.113\.9:PORT;")

    def test_local_rport(self):
        self.assertRegex(self.own_via("local_rport=yes\nlisten=udp:127.0.0.1:@PORT@\n")[0], r";rport$")

    def test_wildcard_names_the_address_that_was_asked(self):
        via, source = self.own_via("listen=udp:*:@PORT@\n", "127.0.0.2")
        self.assertRegex(via, r"^Via: SIP/2.0/UDP 127\.0\.0\.2:PORT;")
        self.assertEqual("127.0.0.2", source)

    def test_mhomed_asks_the_kernel_for_the_way(self):
        listen = "listen=udp:127.0.0.1:@PORT@\nlisten=udp:127.0.0.2:@PORT@\n"
        self.assertEqual("127.0.0.2", self.own_via(listen, "127.0.0.2")[1])
        via, source = self.own_via("mhomed=yes\n" + listen, "127.0.0.2")
        self.assertEqual("127.0.0.1", source)
        self.assertRegex(via, r"^Via: SIP/2.0/UDP 127\.0\.0\.1:PORT;")

    def test_named_socket(self):
        listen = 'listen=udp:127.0.0.1:@PORT@\nlisten=udp:127.0.0.2:@PORT@ name "second"\n'
        with Peer(free_port(5070)) as callee, Peer() as caller, \
                Server(listen + f'request_route {{\n  force_send_socket("second");\n  forward("{HOST}", {callee.port});\n}}\n') as server:
            caller.send(caller.request("OPTIONS", server.port), server.port)
            callee.socket.settimeout(2)
            self.assertEqual("127.0.0.2", callee.socket.recvfrom(65536)[1][0])


class Myself(unittest.TestCase):
    def test_alias_and_listen_addresses(self):
        config = ("listen=udp:127.0.0.1:@PORT@\nalias=\"example.org\"\nalias=udp:example.com:5099\nloadmodule \"sl.so\"\n"
                  "request_route {\n  if (uri == myself) { sl_send_reply(\"200\", \"Us\"); }\n  else { sl_send_reply(\"404\", \"Others\"); }\n}\n")
        with Server(config, "--alias", "example.edu") as server:
            for uri, wanted in ((f"sip:a@127.0.0.1:{server.port}", 200), ("sip:a@example.org", 200), ("sip:a@EXAMPLE.org:7777", 200),
                                ("sip:a@example.com:5099", 200), ("sip:a@example.com:5098", 404), ("sip:a@example.edu", 200),
                                ("sip:a@127.0.0.1:1", 404), ("sip:a@example.net", 404)):
                with self.subTest(uri):
                    self.assertEqual(wanted, status(exchange(HOST, server.port, uri)[0]))
            self.assertIn("Aliases:\n", server.log())
            self.assertIn("  example.org\n", server.log())

    def test_auto_aliases(self):
        for setting, known in (("", 404), ("auto_aliases=yes\n", 200)):
            with self.subTest(setting), Server(setting + "listen=udp:127.0.0.1:@PORT@\nloadmodule \"sl.so\"\nrequest_route {\n"
                                               "  if (uri == myself) { sl_send_reply(\"200\", \"Us\"); }\n"
                                               "  else { sl_send_reply(\"404\", \"Others\"); }\n}\n") as server:
                self.assertEqual(known, status(exchange(HOST, server.port, f"sip:a@localhost:{server.port}")[0]))


class Processes(unittest.TestCase):
    def test_titles(self):
        with Server("listen=udp:127.0.0.1:@PORT@\nchildren=2\n" + REPLY) as server:
            titles = worker_titles(server)
            self.assertEqual(["ser: event worker", f"ser: receiver child=0 sock=127.0.0.1:{server.port}",
                              f"ser: receiver child=1 sock=127.0.0.1:{server.port}", "ser: timer"], titles)
            self.assertEqual("ser: attendant", harness.title(server.process.pid))

    def test_children_default_is_the_usable_cpus(self):
        with Server("listen=udp:127.0.0.1:@PORT@\n" + REPLY) as server:
            self.assertEqual(len(os.sched_getaffinity(0)), sum("receiver" in one for one in worker_titles(server)))

    def test_fork_no_is_one_process(self):
        with Server("fork=no\nlisten=udp:127.0.0.1:@PORT@\nlisten=udp:127.0.0.2:@PORT@\n" + REPLY) as server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            self.assertEqual([server.process.pid], server.members())
            self.assertIn("only the first listen address", server.log())
            code, _ = server.stop()
            self.assertEqual(0, code, server.log())
            server.assert_nothing_left(self)

    def test_option_d_is_one_process(self):
        server = Server("listen=udp:127.0.0.1:@PORT@\n" + REPLY, wait=False)
        server.args[server.args.index("-DD")] = "-D"
        with server, Peer() as peer:
            wait_until(lambda: harness.udp_bound(server.port) and server.pid_file.exists(), 5, "the server to listen")
            self.assertEqual(200, peer.ask(server.port))
            self.assertEqual([server.process.pid], server.members())
            self.assertEqual(0, server.stop()[0], server.log())

    def test_identity(self):
        server = Server(f"user=nobody\ngroup={NOBODY.pw_gid}\nlisten=udp:127.0.0.1:@PORT@\n" + REPLY, wait=IS_ROOT)
        with server:
            if not IS_ROOT:
                self.assertNotEqual(0, server.process.wait(10), server.log())
                return
            self.assertEqual(200, status(exchange(HOST, server.port)[0]))
            worker_titles(server)
            for pid in server.children():
                self.assertEqual([str(NOBODY.pw_uid)] * 4, status_field(pid, "Uid"))
                self.assertEqual([str(NOBODY.pw_gid)] * 4, status_field(pid, "Gid"))
                self.assertNotIn("0", status_field(pid, "Groups"))
                self.assertEqual(["0" * 16], status_field(pid, "CapEff"))
            self.assertEqual(["0"] * 4, status_field(server.process.pid, "Uid"))

    def test_chroot_and_working_folder(self):
        with tempfile.TemporaryDirectory(prefix="ser-root-") as root:
            os.chmod(root, 0o755)
            server = Server(f'chroot="{root}"\nlisten=udp:127.0.0.1:@PORT@\n' + REPLY, wait=IS_ROOT)
            with server:
                if not IS_ROOT and os.geteuid() != 0:
                    self.assertNotEqual(0, server.process.wait(10), server.log())
                    return
                worker_titles(server)
                self.assertEqual(200, status(exchange(HOST, server.port)[0]))
                for pid in server.children():
                    self.assertEqual(root, os.readlink(f"/proc/{pid}/root"))
                self.assertEqual("/", os.readlink(f"/proc/{server.process.pid}/root"))
                self.assertEqual(str(server.folder), os.readlink(f"/proc/{server.process.pid}/cwd"))

    def test_working_folder_of_the_file(self):
        with tempfile.TemporaryDirectory(prefix="ser-work-") as folder:
            server = Server(f'workdir="{folder}"\nlisten=udp:127.0.0.1:@PORT@\n' + REPLY)
            at = server.args.index("-w")
            del server.args[at:at + 2]
            with server:
                worker_titles(server)
                for pid in server.members():
                    self.assertEqual(folder, os.readlink(f"/proc/{pid}/cwd"))

    def test_pid_file_of_the_configuration(self):
        with tempfile.TemporaryDirectory(prefix="ser-pid-") as folder:
            server = Server(f'pid_file="{folder}/own.pid"\nlisten=udp:127.0.0.1:@PORT@\n' + REPLY)
            at = server.args.index("-P")
            del server.args[at:at + 2]
            server.pid_file = Path(folder) / "own.pid"
            with server:
                self.assertEqual(str(server.process.pid), server.pid_file.read_text().strip())
                server.stop()
                server.assert_nothing_left(self)

    def test_limits_of_the_processes(self):
        with Server("open_files_limit=512\ndisable_core_dump=yes\nlisten=udp:127.0.0.1:@PORT@\n" + REPLY) as server:
            worker_titles(server)
            for pid in server.members():
                limits = Path(f"/proc/{pid}/limits").read_text()
                self.assertRegex(limits, r"Max open files +512 +512")
                self.assertRegex(limits, r"Max core file size +0 +0")


class Refused(unittest.TestCase):
    def refused(self, settings, *words, args=()):
        with Server(settings + REPLY, *args, wait=False) as server:
            self.assertEqual(1, server.process.wait(5), server.log())
            lines = harness.error_lines(server.log())
            self.assertEqual(1, len(lines), server.log())
            for word in words:
                self.assertIn(word, lines[0])
            server.assert_nothing_left(self)

    def test_address_of_another_machine(self):
        self.refused("listen=udp:192.0.2.77:@PORT@\n", "192.0.2.77", "ip_free_bind")

    def test_unknown_host(self):
        self.refused("# a comment\nlisten=udp:no-such-host.invalid:@PORT@\n", "no-such-host.invalid", "ser.cfg:2:1: ")

    def test_transport_that_is_not_built(self):
        self.refused("listen=tcp:127.0.0.1:@PORT@\n", "tcp is not built yet")
        with Server("listen=tcp:127.0.0.1:@PORT@\nlisten=udp:127.0.0.1:@PORT@\n" + REPLY) as server:
            self.assertEqual(200, status(exchange(HOST, server.port)[0]))
            self.assertIn("tcp is not built yet", server.log())

    def test_second_listener_in_use_frees_the_first(self):
        port = free_port(5060)
        with Peer(port, "127.0.0.2"):
            self.refused(f"listen=udp:127.0.0.1:{port}\nlisten=udp:127.0.0.2:{port}\n", "127.0.0.2", "in use")

    def test_missing_chroot_and_workdir(self):
        self.refused('chroot="/no/such/folder"\nlisten=udp:127.0.0.1:@PORT@\n', "/no/such/folder")
        self.refused("listen=udp:127.0.0.1:@PORT@\n", "/no/such/place", args=("-w", "/no/such/place"))

    def test_unknown_group_and_facility(self):
        self.refused('group="no-such-group-here"\nlisten=udp:127.0.0.1:@PORT@\n', "no-such-group-here")
        self.refused("log_facility=LOG_NOWHERE\nlisten=udp:127.0.0.1:@PORT@\n", "LOG_NOWHERE")

    def test_daemon_tells_who_started_it(self):
        with Peer(free_port(5060)) as other:
            server = Server("listen=udp:127.0.0.1:@PORT@\n" + REPLY, port=other.port, wait=False)
            server.args = [one for one in server.args if one not in ("-DD", "-E")]
            with server:
                self.assertEqual(1, server.process.wait(5), server.log())
                self.assertEqual(1, len(harness.error_lines(server.log())), server.log())
                self.assertFalse(server.pid_file.exists())

    def as_nobody(self, settings, *words):
        """Started by a user who may not do what the file asks for."""
        with tempfile.TemporaryDirectory(prefix="ser-nobody-") as folder:
            os.chmod(folder, 0o755)
            program, config = Path(folder) / "ser", Path(folder) / "ser.cfg"
            shutil.copy(harness.binary(), program)
            program.chmod(0o755)
            config.write_text(settings + REPLY)
            config.chmod(0o644)
            identity = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []} if IS_ROOT else {}
            got = subprocess.run([str(program), "-f", str(config), "-DD", "-E"], capture_output=True, text=True, timeout=10,
                                 stdin=subprocess.DEVNULL, check=False, **identity)
            self.assertEqual(1, got.returncode, got.stderr)
            lines = harness.error_lines(got.stdout + got.stderr)
            self.assertEqual(1, len(lines), got.stderr)
            for word in words:
                self.assertIn(word, lines[0])

    def test_another_identity_needs_root(self):
        if IS_ROOT:
            self.as_nobody(f"user=root\nlisten=udp:127.0.0.1:{free_port(5060)}\n", "root")
        else:
            self.as_nobody(f"user=nobody\nlisten=udp:127.0.0.1:{free_port(5060)}\n", "nobody")

    def test_low_ports_need_root(self):
        if IS_ROOT and int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) > 99:
            self.as_nobody("listen=udp:127.0.0.1:99\n", "127.0.0.1:99", "CAP_NET_BIND_SERVICE")
        else:
            self.as_nobody("listen=udp:192.0.2.77:99\n", "192.0.2.77:99")

    def test_option_without_value(self):
        got = run_once("-f")
        self.assertEqual(1, got.returncode)
        self.assertEqual(1, len(harness.error_lines(got.stderr)), got.stderr)


if __name__ == "__main__":
    harness.main()
