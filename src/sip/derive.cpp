// SPDX-License-Identifier: Apache-2.0
#include "sip/derive.h"

#include "sip/output.h"

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

}  // namespace ser::sip
