// SPDX-License-Identifier: Apache-2.0
#include "sip/derive.h"

#include <array>

#include "base/text.h"
#include "sip/output.h"
#include "sip/scanner.h"
#include "sip/uri.h"

namespace ser::sip {

namespace {

Result<void> put_value(Output& out, std::string_view name, const Message& message, HeaderId id) noexcept {
  const HeaderField* field = message.find(id);
  if (field == nullptr) return {Errc::missing, "mandatory header field missing"};
  out.put(name);
  out.put(field->value());
  out.put("\r\n");
  return {};
}

Result<std::size_t> derive(const Message& request, std::string_view method, const Message& to_from,
                           const DeriveSpec& spec, std::span<char> buffer) noexcept {
  TRY(const CSeq* cseq, request.get<hdr::CSeq>());
  Output out(buffer);
  out.put(method);
  out.put(" ");
  out.put(spec.request_uri.empty() ? request.start().uri : spec.request_uri);
  out.put(" SIP/2.0\r\n");
  if (spec.via.empty()) {
    TRY(const Via* via, request.via(0));
    out.put("Via: ");
    out.put(via->text);
    out.put("\r\n");
  } else {
    out.put(spec.via);
  }
  if (spec.has_routes) {
    out.put(spec.routes);
  } else {
    const HeaderField* route = request.find(HeaderId::route);
    for (; route != nullptr; route = request.next_same(*route)) out.put(route->line());
  }
  TRY_VOID(put_value(out, "From: ", request, HeaderId::from));
  TRY_VOID(put_value(out, "To: ", to_from, HeaderId::to));
  TRY_VOID(put_value(out, "Call-ID: ", request, HeaderId::call_id));
  out.put("CSeq: ");
  out.number(cseq->number);
  out.put(" ");
  out.put(method);
  out.put("\r\nMax-Forwards: 70\r\n");
  out.put(spec.extra_headers);
  out.put("Content-Length: 0\r\n\r\n");
  return out.finish();
}

/// The first value of a Via field: up to a comma outside of quotes and comments.
Result<std::string_view> first_via(std::string_view value) noexcept {
  Cursor cursor(value);
  const char* const from = cursor.position();
  while (!cursor.at_end()) {
    std::string_view inside;
    if (cursor.next_is(',')) return trim(cursor.since(from));
    if (cursor.next_is('"')) {
      if (!cursor.quoted_string(inside)) return {Errc::syntax, "quote not closed in Via", cursor.offset()};
    } else if (cursor.next_is('(')) {
      if (!cursor.comment()) return {Errc::syntax, "comment not closed in Via", cursor.offset()};
    } else {
      cursor.advance(1);
    }
  }
  return value;
}

/// Copies the lines of a request that its CANCEL and ACK have, too, each the first time it is met.
class LineCopier {
 public:
  /// `to`: the value of To; empty: as in the request.
  LineCopier(Output& out, std::string_view method, std::string_view to) noexcept
      : x_out(out), x_method(method), x_to(to) {}

  Result<void> take(std::string_view line) noexcept {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return {};
    const std::string_view name = trim(line.substr(0, colon));
    const std::string_view value = trim(line.substr(colon + 1));
    switch (header_id(name)) {
      case HeaderId::via: {
        if (!first(kVia)) return {};
        TRY(const std::string_view via, first_via(value));
        if (via.empty()) return {Errc::syntax, "empty Via"};
        put(name, via);
        return {};
      }
      case HeaderId::route:
        x_out.put(line);
        return {};
      case HeaderId::from:
        if (first(kFrom)) put(name, value);
        return {};
      case HeaderId::to:
        if (first(kTo)) put(name, x_to.empty() ? value : x_to);
        return {};
      case HeaderId::call_id:
        if (first(kCallId)) put(name, value);
        return {};
      case HeaderId::cseq:
        return first(kCSeq) ? put_cseq(value) : Result<void>{};
      default:
        return {};
    }
  }

  Result<void> complete() const noexcept {
    if (x_seen != (kVia | kFrom | kTo | kCallId | kCSeq)) {
      return {Errc::missing, "mandatory header field missing"};
    }
    return {};
  }

 private:
  enum : unsigned { kVia = 1, kFrom = 2, kTo = 4, kCallId = 8, kCSeq = 16 };

  bool first(unsigned what) noexcept {
    const bool is_first = (x_seen & what) == 0;
    x_seen |= what;
    return is_first;
  }
  void put(std::string_view name, std::string_view value) noexcept {
    x_out.put(name);
    x_out.put(": ");
    x_out.put(value);
    x_out.put("\r\n");
  }
  Result<void> put_cseq(std::string_view value) noexcept {
    Cursor cursor(value);
    std::uint64_t number = 0;
    if (!cursor.number(number)) return {Errc::syntax, "CSeq without a number"};
    if (number > 0xFFFFFFFFU) return {Errc::out_of_range, "CSeq number is too large"};
    x_out.put("CSeq: ");
    x_out.number(number);
    x_out.put(" ");
    x_out.put(x_method);
    x_out.put("\r\n");
    return {};
  }

  Output& x_out;
  std::string_view x_method;
  std::string_view x_to;
  unsigned x_seen = 0;
};

Result<std::size_t> derive_from_bytes(std::string_view sent, const StartLine& start, std::string_view method,
                                      std::string_view to, std::string_view extra_headers,
                                      std::span<char> buffer) noexcept {
  Output out(buffer);
  out.put(method);
  out.put(" ");
  out.put(start.uri);
  out.put(" SIP/2.0\r\n");
  LineCopier copier(out, method, to);
  const char* const end = sent.data() + sent.size();
  // The start line has a line end, or it would not have been read.
  const char* at = start.line.data() + start.line.size();
  at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at))) + 1;
  for (const char* next = at; next != end; at = next) {
    if (*at == '\n' || (*at == '\r' && end - at > 1 && at[1] == '\n')) break;
    next = field_end(at, end);
    if (next == nullptr) break;
    // Only names beginning with these letters are copied: Via, From, To, Call-ID and CSeq, i, Route.
    constexpr std::string_view kFirst = "vftcir";
    if (kFirst.find(to_lower(*at)) == std::string_view::npos) continue;
    TRY_VOID(copier.take({at, static_cast<std::size_t>(next - at)}));
  }
  TRY_VOID(copier.complete());
  out.put("Max-Forwards: 70\r\n");
  out.put(extra_headers);
  out.put("Content-Length: 0\r\n\r\n");
  return out.finish();
}

/// The Record-Route of a response in reverse: the route set of who sent the request (RFC 3261 12.1.2).
struct RouteSet {
  std::array<std::string_view, kMaxRouteSet> text;  // whole values
  std::string_view first_uri;
  std::size_t count = 0;
};

Result<void> read_route_set(const Message& response, RouteSet& set) noexcept {
  auto value = response.record_route(0);
  for (; value; value = response.next_value<hdr::RecordRoute>(**value)) {
    if (set.count == kMaxRouteSet) return {Errc::too_many, "too many routes"};
    set.text[set.count++] = (*value)->text;
    set.first_uri = (*value)->uri;
  }
  if (value.error().code != Errc::missing) return value.error();
  return {};
}

void put_route_set(Output& out, const RouteSet& set, bool strict, std::string_view target) noexcept {
  if (set.count == 0) return;
  // A strict router stands in the Request-URI, and the target behind the last route (12.2.1.1).
  for (std::size_t i = set.count - (strict ? 1 : 0); i > 0; --i) {
    out.put("Route: ");
    out.put(set.text[i - 1]);
    out.put("\r\n");
  }
  if (!strict) return;
  out.put("Route: <");
  out.put(target);
  out.put(">\r\n");
}

}  // namespace

Result<std::size_t> write_cancel(const Message& request, const DeriveSpec& spec,
                                 std::span<char> out) noexcept {
  if (!request.is_request() || request.method() == Method::ack || request.method() == Method::cancel) {
    return {Errc::refused, "not a request that can be cancelled"};
  }
  return derive(request, "CANCEL", request, spec, out);
}

Result<std::size_t> write_ack(const Message& invite, const Message& response, const DeriveSpec& spec,
                              std::span<char> out) noexcept {
  if (invite.method() != Method::invite || !response.is_response() || response.status() < 300) {
    return {Errc::refused, "no ACK for this"};
  }
  return derive(invite, "ACK", response, spec, out);
}

Result<std::size_t> write_cancel(std::string_view sent, std::string_view extra_headers,
                                 std::span<char> out) noexcept {
  TRY(const StartLine start, parse_start_line(sent));
  if (!start.is_request || start.method == Method::ack || start.method == Method::cancel) {
    return {Errc::refused, "not a request that can be cancelled"};
  }
  return derive_from_bytes(sent, start, "CANCEL", {}, extra_headers, out);
}

Result<std::size_t> write_ack(std::string_view sent_invite, const Message& response,
                              std::string_view extra_headers, std::span<char> out) noexcept {
  TRY(const StartLine start, parse_start_line(sent_invite));
  if (!start.is_request || start.method != Method::invite || response.status() < 300) {
    return {Errc::refused, "no ACK for this"};
  }
  const HeaderField* to = response.find(HeaderId::to);
  if (to == nullptr || to->value().empty()) return {Errc::missing, "no To in the response"};
  return derive_from_bytes(sent_invite, start, "ACK", to->value(), extra_headers, out);
}

Result<std::size_t> write_ack_2xx(const Message& invite, const Message& response, const Ack2xxSpec& spec,
                                  std::span<char> buffer) noexcept {
  if (invite.method() != Method::invite || response.status() / 100 != 2) {
    return {Errc::refused, "no ACK for this"};
  }
  TRY(const CSeq* cseq, invite.get<hdr::CSeq>());
  TRY(const Contact* contact, response.get<hdr::Contact>());
  if (contact->star) return {Errc::syntax, "no URI in the Contact"};
  RouteSet routes;
  TRY_VOID(read_route_set(response, routes));
  bool strict = false;
  if (routes.count != 0) {
    TRY(const Uri uri, parse_uri(routes.first_uri));
    strict = !uri.has_param("lr");
  }
  Output out(buffer);
  out.put("ACK ");
  out.put(strict ? routes.first_uri : contact->uri);
  out.put(" SIP/2.0\r\n");
  out.put(spec.via);
  put_route_set(out, routes, strict, contact->uri);
  TRY_VOID(put_value(out, "From: ", invite, HeaderId::from));
  TRY_VOID(put_value(out, "To: ", response, HeaderId::to));
  TRY_VOID(put_value(out, "Call-ID: ", invite, HeaderId::call_id));
  out.put("CSeq: ");
  out.number(cseq->number);
  out.put(" ACK\r\nMax-Forwards: 70\r\n");
  for (const HeaderId id : {HeaderId::authorization, HeaderId::proxy_authorization}) {
    const HeaderField* field = invite.find(id);
    for (; field != nullptr; field = invite.next_same(*field)) out.put(field->line());
  }
  out.put(spec.extra_headers);
  out.put("Content-Length: ");
  out.number(spec.body.size());
  out.put("\r\n\r\n");
  out.put(spec.body);
  return out.finish();
}

}  // namespace ser::sip
