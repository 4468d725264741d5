// SPDX-License-Identifier: Apache-2.0
#include "modules/corex/corex.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

using mod::testing::TestWorker;

constexpr std::string_view kInvite = "INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a\nCSeq: 1 INVITE\n\n";

TEST(Corex, SendsData) {
  TestWorker worker(describe_corex);
  worker.names.hosts["log.example.com"] = IpAddress::v4(127, 0, 0, 9);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("send_data", {"sip:log.example.com:5070", "hello"}), 1);
  EXPECT_EQ(worker.sink.sent.at(0).bytes, "hello");
  EXPECT_EQ(worker.sink.sent.at(0).target.to, (SockAddr{IpAddress::v4(127, 0, 0, 9), 5070}));
  EXPECT_EQ(worker.sink.sent.at(0).target.socket, 0);
  EXPECT_EQ(worker.call("sendx", {"sip:[::1]:5070", "udp:[::1]:5060", "six"}), 1);
  EXPECT_EQ(worker.sink.sent.at(1).target.socket, 1);
  for (const std::string_view bad :
       {"sip:unknown.example.com", "sip:127.0.0.1;transport=tcp", "junk", "sip:0.0.0.0"})
    EXPECT_EQ(worker.call("send_data", {bad, "x"}), -1) << bad;
  EXPECT_EQ(worker.call("sendx", {"sip:127.0.0.1", "udp:192.0.2.1:5060", "x"}), -1);
  EXPECT_EQ(worker.call("sendx", {"sip:127.0.0.1", "udp:[::1]:5060", "x"}), -1) << "wrong family";
  EXPECT_EQ(worker.sink.sent.size(), 2U);
}

TEST(Corex, Sockets) {
  TestWorker worker(describe_corex);
  worker.add_socket("127.0.0.2", 5062, "inside");
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("set_send_socket", {"udp:127.0.0.2:5062"}), 1);
  EXPECT_EQ(worker.state.force_socket, 2);
  EXPECT_EQ(worker.call("set_send_socket", {"[::1]"}), 1);
  EXPECT_EQ(worker.state.force_socket, 1);
  EXPECT_EQ(worker.call("set_send_socket", {"udp:127.0.0.9:5060"}), -1);
  EXPECT_EQ(worker.call("set_send_socket", {"udp:127.0.0.2:port"}), -1);
  EXPECT_EQ(worker.call("set_send_socket_name", {"inside"}), 1);
  EXPECT_EQ(worker.state.force_socket, 2);
  EXPECT_EQ(worker.call("set_recv_socket_name", {"inside"}), 1);
  EXPECT_EQ(worker.state.rx.socket, 2);
  EXPECT_EQ(worker.call("set_recv_socket", {"127.0.0.1:5060"}), 1);
  EXPECT_EQ(worker.state.rx.socket, 0);
  EXPECT_EQ(worker.call("is_socket_name", {"inside"}), 1);
  EXPECT_EQ(worker.call("is_socket_name", {"outside"}), -1);
  EXPECT_EQ(worker.call("set_source_address", {"udp:192.0.2.7:5099"}), 1);
  EXPECT_EQ(worker.state.rx.from, (SockAddr{IpAddress::v4(192, 0, 2, 7), 5099}));
  EXPECT_EQ(worker.call("set_source_address", {"example.com"}), -1);
}

TEST(Corex, ExtendedFlagsAndReplies) {
  TestWorker worker(describe_corex);
  worker.settings.relay_stray_replies = true;
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("setxflag", {"63"}), 1);
  EXPECT_EQ(worker.call("isxflagset", {"63"}), 1);
  EXPECT_EQ(worker.call("isxflagset", {"62"}), -1);
  EXPECT_EQ(worker.call("resetxflag", {"63"}), 1);
  EXPECT_EQ(worker.call("isxflagset", {"63"}), -1);
  EXPECT_EQ(worker.call("setxflag", {"64"}), -1);
  EXPECT_EQ(worker.call("forward_reply"), -1) << "a request";
  worker.receive("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 127.0.0.1:5060\nVia: SIP/2.0/UDP 127.0.0.1:5070\n\n");
  EXPECT_EQ(worker.call("forward_reply"), 1);
  EXPECT_EQ(worker.sink.sent.at(0).bytes,
            mod::testing::crlf("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 127.0.0.1:5070\n\n"));
}

}  // namespace
}  // namespace ser::modules
