// SPDX-License-Identifier: Apache-2.0
// ser-mix: what comes to a server under overload: new INVITEs and requests inside of dialogs at a fixed rate,
// whatever comes back, and the responses of a callee through the server. Caller and callee in one thread. It
// counts and loses nothing silently; that messages are right is ser-load's business. Loopback only.
#include <getopt.h>
#include <sched.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "load/address.h"
#include "load/template.h"
#include "load/udp.h"

namespace ser::bench {
namespace {

enum Kind : unsigned { kNew, kInDialog, kKinds };
constexpr std::int64_t kMillisecond = 1'000'000;

struct Wishes {
  Address server, caller, callee;
  double rate = 10000;  ///< requests a second
  double seconds = 5;
  double new_share = 0.5;
  int cpu = -1;
};

struct Counts {
  std::array<std::uint64_t, kKinds> sent{}, at_callee{}, answered{}, refused{};
  std::uint64_t other = 0;  ///< anything that is none of these
  std::uint64_t late = 0;   ///< sent over a millisecond after its time
};

std::int64_t now_ns() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

/// The request of a kind; its branch begins with the kind's letter.
Template request_of(Kind kind, const Wishes& wishes) {
  const std::string method = kind == kNew ? "INVITE" : "INFO";
  const std::string sequence(kSequenceDigits, '\x01');
  const std::string caller = wishes.caller.text();
  std::string text = method + " sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP " + caller +
                     ";branch=z9hG4bK" + (kind == kNew ? "n" : "d") + sequence + "\r\nMax-Forwards: 70\r\n";
  text += "From: \"Alice Liddell\" <sip:alice@example.com>;tag=a" + sequence +
          "\r\nTo: <sip:bob@example.org>" + (kind == kInDialog ? ";tag=b" + sequence : std::string()) +
          "\r\nCall-ID: " + sequence + "@client.example.com\r\nCSeq: 1 " + method +
          "\r\nContact: <sip:alice@" + caller +
          ";transport=udp>\r\nUser-Agent: SomePhone 7821/12.5.1SR3 (build 4711)\r\n"
          "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, SUBSCRIBE, MESSAGE, UPDATE\r\n"
          "Supported: replaces, timer, path, 100rel\r\nAccept: application/sdp, text/plain\r\n";
  const std::string body =
      "v=0\r\no=alice 2890844526 2890844527 IN IP4 192.0.2.21\r\ns=-\r\nc=IN IP4 192.0.2.21\r\nt=0 0\r\n"
      "m=audio 0 RTP/AVP 0 8 97 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:97 "
      "iLBC/8000\r\n"
      "a=rtpmap:101 telephone-event/8000\r\n";
  text +=
      "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  return Template(std::move(text));
}

/// Text up to the `lines`-th line end, which is cut off from `rest`; empty: there are fewer.
std::string_view take_lines(std::string_view& rest, unsigned lines) {
  std::size_t at = 0;
  for (; lines != 0; --lines) {
    const std::size_t end = rest.find('\n', at);
    if (end == std::string_view::npos) return {};
    at = end + 1;
  }
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at);
  return taken;
}

/// The callee's 200: two Vias and, behind Max-Forwards, From to CSeq, as they came. 0: not a request of ours.
std::size_t write_reply(std::string_view request, char* out) {
  if (take_lines(request, 1).empty()) return 0;
  const std::string_view vias = take_lines(request, 2);
  if (take_lines(request, 1).empty()) return 0;
  const std::string_view dialog = take_lines(request, 4);
  if (!vias.starts_with("Via: ") || !dialog.starts_with("From: ")) return 0;
  std::size_t size = 0;
  for (const std::string_view part :
       {std::string_view("SIP/2.0 200 OK\r\n"), vias, dialog,
        std::string_view(
            "Contact: <sip:bob@192.0.2.21:5062>\r\nServer: SomeGateway 3.2\r\nContent-Length: 0\r\n\r\n")}) {
    if (size + part.size() > kMaxMessage) return 0;
    std::memcpy(out + size, part.data(), part.size());
    size += part.size();
  }
  return size;
}

class Mix {
 public:
  explicit Mix(const Wishes& wishes)
      : x_wishes(wishes),
        x_requests{request_of(kNew, wishes), request_of(kInDialog, wishes)},
        x_caller_room(SendQueue::kRoom * kMaxMessage),
        x_callee_room(SendQueue::kRoom * kMaxMessage) {}

  bool open() {
    return x_caller.open(x_wishes.caller, x_wishes.server) == nullptr &&
           x_callee.open(x_wishes.callee, x_wishes.server) == nullptr;
  }

  Counts run() {
    const std::int64_t begin = now_ns();
    const auto end = begin + static_cast<std::int64_t>(x_wishes.seconds * 1e9);
    constexpr std::int64_t kDrain = 500 * kMillisecond;
    for (std::int64_t now = begin; now < end + kDrain; now = now_ns()) {
      if (now < end) send_due(begin, now);
      // Twice: what the callee has not taken piles up in its buffer, and its loss would be put down to the
      // server.
      serve_callee();
      hear_caller();
      serve_callee();
    }
    return x_counts;
  }

 private:
  void send_due(std::int64_t begin, std::int64_t now) {
    const double interval = 1e9 / x_wishes.rate;
    while (x_to_server.room() != 0) {
      const auto due = begin + static_cast<std::int64_t>(static_cast<double>(x_next) * interval);
      if (due > now) break;
      if (now - due > kMillisecond) ++x_counts.late;
      // Evenly mixed: a new one whenever the share of new ones has fallen behind.
      const bool is_new = static_cast<double>(x_counts.sent[kNew]) <
                          x_wishes.new_share * static_cast<double>(x_next + 1) - 1e-9;
      const Kind kind = is_new ? kNew : kInDialog;
      char* const at = x_caller_room.data() + x_in_queue++ * kMaxMessage;
      x_requests[kind].write(at, x_next++, 0);
      x_to_server.add(at, x_requests[kind].size());
      ++x_counts.sent[kind];
    }
    x_to_server.flush(x_caller);
    if (x_to_server.waiting() == 0) x_in_queue = 0;
  }

  void serve_callee() {
    if (x_replies.waiting() == 0) x_replies_in_queue = 0;
    while (x_replies.room() >= ReceiveBatch::kBatch) {
      const int count = x_received.receive(x_callee);
      for (int i = 0; i < count; ++i) {
        const std::string_view request = x_received.at(i);
        char* const at = x_callee_room.data() + x_replies_in_queue * kMaxMessage;
        const std::size_t size = write_reply(request, at);
        if (size == 0) {
          ++x_counts.other;
          continue;
        }
        ++x_counts.at_callee[request.starts_with("INVITE ") ? kNew : kInDialog];
        x_replies.add(at, size);
        ++x_replies_in_queue;
      }
      if (count < static_cast<int>(ReceiveBatch::kBatch)) break;
    }
    x_replies.flush(x_callee);
  }

  void hear_caller() {
    const int count = x_received.receive(x_caller);
    for (int i = 0; i < count; ++i) {
      const std::string_view response = x_received.at(i);
      constexpr std::string_view kCookie = "branch=z9hG4bK";
      const std::size_t at = response.find(kCookie);
      const char letter = at == std::string_view::npos ? '?' : response[at + kCookie.size()];
      if (letter != 'n' && letter != 'd') {
        ++x_counts.other;
        continue;
      }
      const Kind kind = letter == 'n' ? kNew : kInDialog;
      if (response.starts_with("SIP/2.0 200 "))
        ++x_counts.answered[kind];
      else if (response.starts_with("SIP/2.0 503 "))
        ++x_counts.refused[kind];
      else
        ++x_counts.other;
    }
  }

  Wishes x_wishes;
  std::array<Template, kKinds> x_requests;
  Socket x_caller, x_callee;
  SendQueue x_to_server, x_replies;
  ReceiveBatch x_received;
  std::vector<char> x_caller_room, x_callee_room;
  std::size_t x_in_queue = 0, x_replies_in_queue = 0;
  std::uint64_t x_next = 0;
  Counts x_counts;
};

bool parse(int argc, char** argv, Wishes& out) {
  constexpr option kLong[] = {
      {"to", required_argument, nullptr, 't'},      {"caller", required_argument, nullptr, 'a'},
      {"callee", required_argument, nullptr, 'b'},  {"rate", required_argument, nullptr, 'r'},
      {"seconds", required_argument, nullptr, 's'}, {"new", required_argument, nullptr, 'n'},
      {"cpu", required_argument, nullptr, 'c'},     {nullptr, 0, nullptr, 0}};
  for (int letter = 0; (letter = getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
    const double number = optarg != nullptr ? std::strtod(optarg, nullptr) : 0;
    bool good = true;
    switch (letter) {
      case 't':
        good = out.server.parse(optarg);
        break;
      case 'a':
        good = out.caller.parse(optarg);
        break;
      case 'b':
        good = out.callee.parse(optarg);
        break;
      case 'r':
        good = number >= 1 && number <= 1e6;
        out.rate = number;
        break;
      case 's':
        good = number >= 0.1 && number <= 120;
        out.seconds = number;
        break;
      case 'n':
        good = number >= 0 && number <= 1;
        out.new_share = number;
        break;
      case 'c':
        good = number >= 0 && number < 1024;
        out.cpu = static_cast<int>(number);
        break;
      default:
        good = false;
    }
    if (!good) return false;
  }
  return out.server.length != 0 && out.caller.length != 0 && out.callee.length != 0 && optind == argc;
}

int mix_main(int argc, char** argv) {
  Wishes wishes;
  if (!parse(argc, argv, wishes)) {
    std::fprintf(stderr,
                 "ser-mix --to ADDR:PORT --caller ADDR:PORT --callee ADDR:PORT [--rate R (requests/s)] "
                 "[--seconds S (0.1..120)] [--new SHARE (0..1)] [--cpu N]; loopback addresses only\n");
    return 2;
  }
  if (wishes.cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(wishes.cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) std::perror("ser-mix: cannot pin to the core of --cpu");
  }
  Mix mix(wishes);
  if (!mix.open()) {
    std::perror("ser-mix: cannot open the sockets");
    return 1;
  }
  const Counts c = mix.run();
  const auto pair = [](const char* name, const std::array<std::uint64_t, kKinds>& values) {
    std::printf("\"%s_new\": %llu, \"%s_dialog\": %llu, ", name,
                static_cast<unsigned long long>(values[kNew]), name,
                static_cast<unsigned long long>(values[kInDialog]));
  };
  std::printf("{");
  pair("sent", c.sent);
  pair("at_callee", c.at_callee);
  pair("answered", c.answered);
  pair("refused", c.refused);
  std::printf("\"other\": %llu, \"late\": %llu, \"seconds\": %.3f}\n",
              static_cast<unsigned long long>(c.other), static_cast<unsigned long long>(c.late),
              wishes.seconds);
  return 0;
}

}  // namespace
}  // namespace ser::bench

int main(int argc, char** argv) {
  return ser::bench::mix_main(argc, argv);
}
