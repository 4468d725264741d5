# SPDX-License-Identifier: Apache-2.0
"""Core parameters that decide what happens to messages and what is logged: each has its effect (sockets and processes:
test_listen.py)."""
import re
import unittest

import harness
from harness import HOST, Peer, Server, free_port, status, wait_until

LISTEN = "listen=udp:127.0.0.1:@PORT@\nchildren=1\n"
ANSWER = LISTEN + 'loadmodule "sl.so"\nrequest_route {\n  sl_send_reply("200", "OK");\n}\n'


def response(vias, code=200):
    """A response with the Via values given."""
    return (f"SIP/2.0 {code} OK\r\n" + "".join(f"Via: SIP/2.0/UDP {via}\r\n" for via in vias)
            + "From: <sip:a@b>;tag=1\r\nTo: <sip:b@b>;tag=2\r\nCall-ID: r\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()


class Replies(unittest.TestCase):
    def answer(self, config, change=lambda text: text):
        with Server(config) as server, Peer() as peer:
            peer.send(change(peer.request("OPTIONS", server.port).decode()).encode(), server.port)
            return (peer.receive() or b"").decode()

    def test_server_header(self):
        self.assertRegex(self.answer(ANSWER), r"\r\nServer: ser \(\d+\.\d+\.\d+ \(x86_64/linux\)\)\r\n")
        self.assertIn("\r\nServer: mine\r\n", self.answer('server_header="Server: mine"\n' + ANSWER))
        self.assertNotIn("Server:", self.answer("server_signature=no\n" + ANSWER))

    def test_sip_warning_by_dialect(self):
        ser = ANSWER.replace("request_route", "route")
        self.assertIn("\r\nWarning: 392 ", self.answer(ser))
        self.assertNotIn("Warning:", self.answer("sip_warning=no\n" + ser))
        self.assertNotIn("Warning:", self.answer(ANSWER))
        self.assertIn("\r\nWarning: 392 ", self.answer("sip_warning=1\n" + ANSWER))

    def test_force_rport(self):
        no_rport = lambda text: text.replace(";rport", "")
        self.assertNotIn("rport=", self.answer(ANSWER, no_rport))
        self.assertRegex(self.answer("force_rport=yes\n" + ANSWER, no_rport), r";rport=\d+")

    def test_reply_to_via(self):
        for setting, to_via in (("", False), ("reply_to_via=yes\n", True)):
            with self.subTest(setting), Server(setting + ANSWER) as server, Peer(free_port(5080)) as source, \
                    Peer(source.port, "127.0.0.2") as sent_by:
                source.send(sent_by.request("OPTIONS", server.port).replace(b";rport", b""), server.port)
                self.assertEqual(200, status((sent_by if to_via else source).receive() or b""))

    def test_dns_compares_the_name_in_the_via(self):
        for setting in ("dns=yes\n", "rev_dns=yes\n"):
            with self.subTest(setting), Server(setting + ANSWER) as server, Peer() as peer:
                def marked(number, end=peer, where=server.port):
                    request = end.request("OPTIONS", where, f"d{number}").replace(b";rport", b"")
                    end.send(request.replace(b"UDP 127.0.0.1:", b"UDP localhost:"), where)
                    return b";received=" in end.receive()
                counter = iter(range(1000))
                wait_until(lambda: not marked(next(counter)), 5, "the name to be taken for the source")
        with Server(ANSWER) as server, Peer() as peer:
            for number in range(5):
                peer.send(peer.request("OPTIONS", server.port, f"n{number}").replace(b"UDP 127.0.0.1:", b"UDP localhost:")
                          .replace(b";rport", b""), server.port)
                self.assertIn(b";received=127.0.0.1", peer.receive())

    def test_max_message_size(self):
        with Server("max_message_size=600\n" + ANSWER) as server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            peer.send(peer.request("OPTIONS", server.port, "big", body=b"x" * 500), server.port)
            self.assertEqual(200, peer.ask(server.port, "after"))
            self.assertIsNone(peer.receive(0))


class Responses(unittest.TestCase):
    def test_relay_stray_replies_and_check_via(self):
        for setting, relayed in (("", False), ("relay_stray_replies=yes\n", True), ("relay_stray_replies=yes\ncheck_via=yes\n", False)):
            with self.subTest(setting), Server(setting + ANSWER) as server, Peer() as peer, Peer() as end:
                own = "203.0.113.1:9;branch=z9hG4bKx"
                peer.send(response([own, f"{HOST}:{end.port};branch=z9hG4bKy"]), server.port)
                self.assertEqual(200, peer.ask(server.port))
                self.assertEqual(relayed, end.receive(0.2 if not relayed else 2) is not None)


class Script(unittest.TestCase):
    def marks(self, config):
        with Server(config) as server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            return server.log()

    def test_max_while_loops(self):
        loop = 'loadmodule "sl.so"\nrequest_route {\n  while (1) { log(-1, "round\\n"); }\n  sl_send_reply("200", "OK");\n}\n'
        log = self.marks("max_while_loops=7\n" + LISTEN + loop)
        self.assertEqual(7, len(re.findall(r"(?m)round$", log)), log)

    def test_max_recursive_level(self):
        script = ('loadmodule "sl.so"\nrequest_route {\n  route(R);\n  sl_send_reply("200", "OK");\n}\n'
                  'route[R] {\n  log(-1, "deeper\\n");\n  route(R);\n}\n')
        few, many = (self.marks(setting + LISTEN + script).count("deeper\n") for setting in ("max_recursive_level=5\n", ""))
        self.assertEqual((4, 255), (few, many))

    def test_max_branches(self):
        with Peer(free_port(5070)) as callee:
            script = ('loadmodule "sl.so"\nrequest_route {\n' + '  append_branch("sip:x@127.0.0.1");\n' * 5
                      + '  sl_send_reply("300", "Many");\n}\n')
            for setting, count in (("max_branches=3\n", 3), ("", 5)):
                with self.subTest(setting), Server(setting + LISTEN + script) as server, Peer() as peer:
                    peer.send(peer.request("OPTIONS", server.port), server.port)
                    self.assertEqual(count, peer.receive().count(b"sip:x@127.0.0.1"))
            self.assertIsNone(callee.receive(0))


class Logging(unittest.TestCase):
    def logged(self, config, *args):
        with Server(config, *args) as server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            self.assertEqual(0, server.stop()[0])
            return server.log()

    def test_debug_by_dialect(self):
        script = 'loadmodule "sl.so"\nroute {\n  log(1, "one\\n"); log(2, "two\\n");\n  sl_send_reply("200", "OK");\n}\n'
        for mark, debug, seen in (("#!KAMAILIO\n", 1, {"one"}), ("#!KAMAILIO\n", 2, {"one", "two"}),
                                  ("#!SER\n", 1, {"one"}), ("#!SER\n", 2, {"one", "two"})):
            with self.subTest(mark + str(debug)):
                log = self.logged(mark + f"debug={debug}\n" + LISTEN + script)
                self.assertEqual(seen, set(re.findall(r"(?m)\b(one|two)$", log)), log)

    def test_log_prefix(self):
        config = LISTEN + 'log_prefix="<$ci> "\n' + ANSWER[len(LISTEN):].replace("sl_send", 'log(-1, "here\\n"); sl_send')
        self.assertIn("<c1> here", self.logged(config))

    def test_memlog(self):
        self.assertNotIn("segment at the end", self.logged(ANSWER))
        self.assertRegex(self.logged("memlog=0\n" + ANSWER), r"segment at the end: \d+ bytes in \d+ cells")

    def test_verbose_startup_and_maxbuffer(self):
        self.assertNotIn("start: ", self.logged("debug=1\n" + ANSWER))
        log = self.logged("debug=1\nverbose_startup=yes\nmaxbuffer=8192\n" + ANSWER)
        for words in ("start: shared segment mapped", "start: listening on udp:127.0.0.1", "start: module sl is ready"):
            self.assertIn(words, log)

    def test_log_stderror(self):
        server = Server("log_stderror=yes\nmemlog=0\n" + ANSWER)
        server.args.remove("-E")
        with server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            server.stop()
            self.assertIn("segment at the end", server.log())

    def test_statistics_of_the_configuration(self):
        server = Server("@STAT@" + ANSWER)
        server.config.write_text(server.config.read_text().replace("@STAT@", f'statistics="{server.stat_file}"\n'))
        with server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            self.assertEqual(1, server.statistics()["core.rcv_requests"])


class Stop(unittest.TestCase):
    def test_exit_timeout(self):
        # A script that is at work for long is not waited for: the server is gone within the time given.
        busy = ('max_while_loops=1000000000\n' + LISTEN + 'loadmodule "sl.so"\nrequest_route {\n'
                '  if (method == "INFO") { while (1) { $var(i) = $var(i) + 1; } }\n  sl_send_reply("200", "OK");\n}\n')
        with Server(busy) as server, Peer() as peer:
            self.assertEqual(200, peer.ask(server.port))
            for number in range(100):
                peer.send(peer.request("INFO", server.port, f"i{number}"), server.port)
            self.assertEqual(0, server.stop()[0])
            server.assert_nothing_left(self)


if __name__ == "__main__":
    harness.main()
