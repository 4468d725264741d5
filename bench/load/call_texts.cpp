// SPDX-License-Identifier: Apache-2.0
#include "load/call_texts.h"

namespace ser::bench {
namespace {

/// One kind of message, by what differs.
struct Kind {
  const char* method;
  const char* branch;  ///< what makes its Via branch another than those of the call's other requests
  const char* cseq;
  bool in_dialog;
  const char* status;  ///< of the reply; nullptr: none
  bool body, reply_body;
};

constexpr Kind kRinging{"INVITE", "i", "1", false, "180 Ringing", true, false};
constexpr Kind kAnswer{"INVITE", "i", "1", false, "200 OK", true, true};
constexpr Kind kAck{"ACK", "a", "1", true, nullptr, false, false};
constexpr Kind kBye{"BYE", "b", "2", true, "200 OK", false, false};

std::string with_body(std::string text, const std::string& body) {
  if (!body.empty()) text += "Content-Type: application/sdp\r\n";
  return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

Messages make(const Kind& kind, const Options& options, const Address& caller, std::uint32_t run) {
  const std::string sequence = Template::sequence();
  const std::string run_text = hex_text(run);
  const std::string callee = options.callee.text();
  Messages out;
  out.sent_by = caller.text();
  out.id_prefix = std::string("z9hG4bK") + kind.branch + run_text + "-";
  const std::string uri = kind.in_dialog ? "sip:bob@" + callee : options.ruri;
  const std::string seen = kind.in_dialog ? uri : options.expected_ruri;
  const std::string to = "To: <sip:bob@example.org>";
  const std::string to_tag = ";tag=b" + sequence;
  const std::string from = "From: \"Alice Liddell\" <sip:alice@example.com>;tag=a" + sequence + "\r\n";
  const std::string rest = "\r\nCall-ID: " + sequence + "-" + run_text +
                           "@client.example.com\r\nCSeq: " + kind.cseq + " " + kind.method + "\r\n";

  std::string text = std::string(kind.method) + " " + uri + " SIP/2.0\r\n";
  out.request_line_size = text.size();
  out.expected_request_line = std::string(kind.method) + " " + seen + " SIP/2.0\r\n";
  text += "Via: SIP/2.0/UDP " + out.sent_by + ";branch=" + out.id_prefix + Template::slot() + "-" + sequence +
          "\r\n";
  text += "Max-Forwards: " + std::to_string(kMaxForwards) + "\r\n";
  out.rest_offset = text.size();
  text += from + to + (kind.in_dialog ? to_tag : "") + rest;
  if (!kind.in_dialog) {
    text += "Contact: <sip:alice@" + out.sent_by + ";transport=udp>\r\n";
    text += "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, SUBSCRIBE, MESSAGE, UPDATE\r\n";
    text += "Supported: replaces, timer, path, 100rel\r\n";
  }
  text += "User-Agent: SomePhone 7821/12.5.1SR3 (build 4711)\r\n";
  out.request = Template(with_body(std::move(text), kind.body ? session_text("alice", sequence) : ""));

  if (kind.status == nullptr) return out;
  out.status_line = std::string("SIP/2.0 ") + kind.status + "\r\n";
  std::string tail = from + to + to_tag + rest;
  if (!kind.in_dialog) tail += "Contact: <sip:bob@" + callee + ">\r\n";
  tail += "Server: SomeGateway 3.2\r\n";
  if (kind.reply_body)
    tail += "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE\r\nSupported: replaces, timer\r\n";
  out.reply_tail = Template(with_body(std::move(tail), kind.reply_body ? session_text("bob", sequence) : ""));
  return out;
}

Options inside(Options options) {
  options.record_route = false;
  return options;
}

}  // namespace

CallTexts::CallTexts(const Options& options, const Address& caller, std::uint32_t run)
    : ringing(make(kRinging, options, caller, run)),
      answer(make(kAnswer, options, caller, run)),
      ack(make(kAck, options, caller, run)),
      bye(make(kBye, options, caller, run)),
      x_beginning(options),
      x_inside(inside(options)),
      check_ringing(x_beginning, ringing, options.server.text()),
      check_answer(x_beginning, answer, options.server.text()),
      check_ack(x_inside, ack, options.server.text()),
      check_bye(x_inside, bye, options.server.text()) {}

bool CallTexts::fits(std::size_t route_room) const {
  for (const Messages* messages : {&ringing, &answer, &ack, &bye}) {
    if (messages->request.size() + route_room > kMaxMessage || messages->reply_tail.size() > kMaxMessage)
      return false;
  }
  return true;
}

std::string route_lines(std::string_view record_route_lines) {
  std::string out;
  while (!record_route_lines.empty()) {
    const std::size_t end = record_route_lines.find('\n');
    const std::string_view line = record_route_lines.substr(0, end);
    record_route_lines.remove_prefix(end == std::string_view::npos ? record_route_lines.size() : end + 1);
    std::string_view values = line.substr(line.find(':') + 1);
    while (!values.empty() && (values.back() == '\r' || values.back() == ' ')) values.remove_suffix(1);
    for (;;) {
      const std::size_t comma = values.find(',');
      std::string_view value = values.substr(0, comma);
      while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
      out.insert(0, "Route: " + std::string(value) + "\r\n");
      if (comma == std::string_view::npos) break;
      values.remove_prefix(comma + 1);
    }
  }
  return out;
}

}  // namespace ser::bench
