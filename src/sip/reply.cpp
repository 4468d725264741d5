// SPDX-License-Identifier: Apache-2.0
#include "sip/reply.h"

#include <cstring>
#include <utility>

#include "base/text.h"
#include "sip/output.h"

namespace ser::sip {

namespace {

/// Copies parts of the request; neighbours, as header fields often are, in one piece.
class Copier {
 public:
  explicit Copier(Output& out) noexcept : x_out(out) {}

  [[gnu::always_inline]] void copy(std::string_view part) noexcept {
    if (x_end != part.data()) {
      flush();
      x_begin = part.data();
    }
    x_end = part.data() + part.size();
  }
  void insert(std::string_view text) noexcept {
    flush();
    x_out.put(text);
  }
  [[gnu::noinline]] void flush() noexcept {
    x_out.put({x_begin, static_cast<std::size_t>(x_end - x_begin)});
    x_begin = x_end = nullptr;
  }

 private:
  Output& x_out;
  const char* x_begin = nullptr;
  const char* x_end = nullptr;
};

void put_top_via(Copier& out, const Message& request, const Message::Line& line,
                 const ViaStamp& stamp) noexcept {
  if (stamp.rport == 0 && stamp.received.empty()) return out.copy(line.text);
  const auto via = request.via(0);
  if (!via || (*via)->field->line().data() != line.text.data()) return out.copy(line.text);
  const ViaEdits edits(request, **via, stamp);
  std::size_t cursor = 0;
  for (const Edit& edit : edits.span()) {
    const std::size_t at = edit.offset - (*via)->field->offset();
    out.copy(line.text.substr(cursor, at - cursor));
    out.insert(edit.text);
    cursor = at + edit.removed;
  }
  out.copy(line.text.substr(cursor));
}

bool has_to_tag(const Message& request, const HeaderField& field) noexcept {
  const auto to = request.get<hdr::To>(field);
  if (to) return !(*to)->tag.empty();
  return ifind(field.value(), ";tag=") != std::string_view::npos;
}

void put_to(Copier& out, const Message& request, const Message::Line& line, std::string_view tag) noexcept {
  std::size_t end = line.text.size() - 2;
  // Nearly every request outside a dialog ends its To with `>`, and no parameter can follow then.
  if (tag.empty()) return out.copy(line.text);
  if (!finishes_with(line.text, ">\r\n")) {
    const HeaderField* field = request.field_at(line);
    if (field == nullptr || has_to_tag(request, *field)) return out.copy(line.text);
    end = field->value_offset() - field->offset() + field->value().size();
  }
  out.copy(line.text.substr(0, end));
  out.insert(";tag=");
  out.insert(tag);
  out.copy(line.text.substr(end));
}

constexpr ShapeSet kCopied{HeaderId::via,  HeaderId::from,         HeaderId::to,       HeaderId::call_id,
                           HeaderId::cseq, HeaderId::record_route, HeaderId::timestamp};

void put_request_fields(Output& output, const Message& request, const ReplySpec& spec) noexcept {
  const std::string_view tag = spec.status == 100 ? std::string_view{} : spec.to_tag;
  const bool dialog = spec.status > 100 && spec.status < 300;
  Copier out(output);
  // A request with two To or From gets an answer with one.
  bool via = true, from = true, to = true, call_id = true, cseq = true;
  const auto first = [](bool& is_first) { return std::exchange(is_first, false); };
  Message::Line line;
  for (std::size_t at = 0; request.next_line(kCopied, at, line); at = line.number + 1) {
    switch (line.id) {
      case HeaderId::via:
        if (!first(via)) break;
        put_top_via(out, request, line, spec.via);
        continue;
      case HeaderId::to:
        if (first(to)) put_to(out, request, line, tag);
        continue;
      case HeaderId::from:
        if (!first(from)) continue;
        break;
      case HeaderId::call_id:
        if (!first(call_id)) continue;
        break;
      case HeaderId::cseq:
        if (!first(cseq)) continue;
        break;
      case HeaderId::record_route:
        if (!dialog) continue;
        break;
      default:  // Timestamp
        if (spec.status != 100) continue;
        break;
    }
    out.copy(line.text);
  }
  out.flush();
}

/// `SIP/2.0 200 OK`.
void put_status_line(Output& out, std::uint16_t status, std::string_view reason) noexcept {
  char head[] = "SIP/2.0 000 ";
  head[8] = static_cast<char>('0' + status / 100);
  head[9] = static_cast<char>('0' + status / 10 % 10);
  head[10] = static_cast<char>('0' + status % 10);
  out.put({head, sizeof head - 1});
  out.put(reason);
  out.put("\r\n");
}

void put_field(Output& out, std::string_view name, std::string_view value) noexcept {
  if (value.empty()) return;
  out.put(name);
  out.put(value);
  out.put("\r\n");
}

}  // namespace

Result<std::size_t> write_reply(const Message& request, const ReplySpec& spec, std::span<char> out) noexcept {
  if (!request.is_request()) return {Errc::refused, "a response is not answered"};
  if (spec.status < 100 || spec.status > 699) return {Errc::out_of_range, "status of a response"};
  const auto bad = [](std::string_view text) { return !text.empty() && !is_header_value(text); };
  if (bad(spec.reason) || bad(spec.to_tag) || bad(spec.server) || bad(spec.content_type)) {
    return {Errc::syntax, "CR, LF or NUL in a part of the response"};
  }
  Output output(out);
  put_status_line(output, spec.status, spec.reason.empty() ? default_reason(spec.status) : spec.reason);
  // A malformed line is no obstacle: what is good is answered.
  put_request_fields(output, request, spec);
  put_field(output, "Server: ", spec.server);
  output.put(spec.extra_headers);
  if (spec.body.empty()) {
    output.put("Content-Length: 0\r\n\r\n");
    return output.finish();
  }
  put_field(output, "Content-Type: ", spec.content_type);
  output.put("Content-Length: ");
  output.number(spec.body.size());
  output.put("\r\n\r\n");
  output.put(spec.body);
  return output.finish();
}

std::size_t reply_size(const Message& request, const ReplySpec& spec) noexcept {
  const std::size_t added = spec.reason.size() + spec.to_tag.size() + spec.server.size() +
                            spec.extra_headers.size() + spec.content_type.size() + spec.body.size();
  // Status line, names of the added fields, Via stamp.
  return request.header_end_offset() + added + 320;
}

std::string_view default_reason(std::uint16_t status) noexcept {
  switch (status) {
    case 100:
      return "Trying";
    case 180:
      return "Ringing";
    case 181:
      return "Call Is Being Forwarded";
    case 182:
      return "Queued";
    case 183:
      return "Session Progress";
    case 199:
      return "Early Dialog Terminated";
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Notification";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Moved Temporarily";
    case 305:
      return "Use Proxy";
    case 380:
      return "Alternative Service";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 410:
      return "Gone";
    case 412:
      return "Conditional Request Failed";
    case 413:
      return "Request Entity Too Large";
    case 414:
      return "Request-URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Unsupported URI Scheme";
    case 420:
      return "Bad Extension";
    case 421:
      return "Extension Required";
    case 422:
      return "Session Interval Too Small";
    case 423:
      return "Interval Too Brief";
    case 429:
      return "Provide Referrer Identity";
    case 430:
      return "Flow Failed";
    case 433:
      return "Anonymity Disallowed";
    case 436:
      return "Bad Identity-Info";
    case 437:
      return "Unsupported Certificate";
    case 438:
      return "Invalid Identity Header";
    case 439:
      return "First Hop Lacks Outbound Support";
    case 440:
      return "Max-Breadth Exceeded";
    case 469:
      return "Bad Info Package";
    case 470:
      return "Consent Needed";
    case 480:
      return "Temporarily Unavailable";
    case 481:
      return "Call/Transaction Does Not Exist";
    case 482:
      return "Loop Detected";
    case 483:
      return "Too Many Hops";
    case 484:
      return "Address Incomplete";
    case 485:
      return "Ambiguous";
    case 486:
      return "Busy Here";
    case 487:
      return "Request Terminated";
    case 488:
      return "Not Acceptable Here";
    case 489:
      return "Bad Event";
    case 491:
      return "Request Pending";
    case 493:
      return "Undecipherable";
    case 494:
      return "Security Agreement Required";
    case 500:
      return "Server Internal Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Server Time-out";
    case 505:
      return "Version Not Supported";
    case 513:
      return "Message Too Large";
    case 580:
      return "Precondition Failure";
    case 600:
      return "Busy Everywhere";
    case 603:
      return "Decline";
    case 604:
      return "Does Not Exist Anywhere";
    case 606:
      return "Not Acceptable";
    case 607:
      return "Unwanted";
    case 608:
      return "Rejected";
    default:
      break;
  }
  constexpr std::string_view classes[] = {
      "Trying", "OK", "Multiple Choices", "Bad Request", "Server Internal Error", "Busy Everywhere"};
  const unsigned index = status / 100U - 1;
  return index < 6 ? classes[index] : std::string_view("Unknown");
}

}  // namespace ser::sip
