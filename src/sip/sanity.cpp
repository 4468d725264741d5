// SPDX-License-Identifier: Apache-2.0
#include "sip/sanity.h"

#include <array>
#include <cstring>

#include "base/endpoint.h"
#include "base/text.h"
#include "sip/auth.h"
#include "sip/params.h"
#include "sip/tags.h"
#include "sip/uri.h"

namespace ser::sip {

namespace {

using Verdict = std::optional<SanityFailure>;

Verdict bad(std::uint32_t which, std::string_view reason, std::uint16_t status = 400) noexcept {
  return SanityFailure{which, status, reason, {}};
}

Verdict version(const Message& m, const SanityOptions& /*options*/) noexcept {
  if (iequals(m.start().version, "SIP/2.0")) return {};
  return bad(check::kVersion, "Version Not Supported", 505);
}

Verdict scheme(const Message& m, const SanityOptions& /*options*/) noexcept {
  const auto uri = m.start().uri;
  const auto name = uri.substr(0, uri.find(':'));
  for (const std::string_view known : {"sip", "sips", "tel", "tels", "urn"}) {
    if (iequals(name, known)) return {};
  }
  // Only a URI can have an unsupported scheme; `<sip:…>` and the like is rejected as malformed.
  if (!parse_uri(uri)) return bad(check::kScheme, "Bad Request-URI");
  return bad(check::kScheme, "Unsupported URI Scheme", 416);
}

Verdict required_headers(const Message& m, const SanityOptions& /*options*/) noexcept {
  if (m.find(HeaderId::via) == nullptr) return bad(check::kRequiredHeaders, "Missing Via Header");
  if (m.find(HeaderId::from) == nullptr) return bad(check::kRequiredHeaders, "Missing From Header");
  if (m.find(HeaderId::to) == nullptr) return bad(check::kRequiredHeaders, "Missing To Header");
  if (m.find(HeaderId::call_id) == nullptr) return bad(check::kRequiredHeaders, "Missing Call-ID Header");
  if (m.find(HeaderId::cseq) == nullptr) return bad(check::kRequiredHeaders, "Missing CSeq Header");
  return {};
}

Verdict cseq_value(const Message& m, const SanityOptions& /*options*/) noexcept {
  const auto cseq = m.get<hdr::CSeq>();
  if (cseq || cseq.error().code == Errc::missing) return {};
  return bad(check::kCSeqValue,
             cseq.error().code == Errc::out_of_range ? "CSeq number is illegal" : "Bad CSeq");
}

Verdict cseq_method(const Message& m, const SanityOptions& /*options*/) noexcept {
  const auto cseq = m.get<hdr::CSeq>();
  if (!cseq) {
    if (cseq.error().code == Errc::missing || cseq.error().code == Errc::out_of_range) return {};
    return bad(check::kCSeqMethod, "Bad CSeq");
  }
  if ((*cseq)->method == m.method() &&
      (m.method() != Method::other || (*cseq)->method_name == m.start().method_name)) {
    return {};
  }
  return bad(check::kCSeqMethod, "CSeq method does not match request method");
}

Verdict content_length(const Message& m, const SanityOptions& /*options*/) noexcept {
  const auto length = m.content_length();
  if (!length) {
    return length.error().code == Errc::missing ? Verdict{}
                                                : bad(check::kContentLength, "Bad Content-Length");
  }
  // Over UDP there may be more bytes, which are not relayed (RFC 3261 18.3), but never fewer.
  if (*length > m.bytes().size() - m.header_end_offset())
    return bad(check::kContentLength, "Content-Length mis-match");
  return {};
}

Verdict expires(const Message& m, const SanityOptions& /*options*/) noexcept {
  const auto value = m.get<hdr::Expires>();
  if (value || value.error().code == Errc::missing) return {};
  return bad(check::kExpires, "Expires value is illegal");
}

Verdict max_forwards(const Message& m, const SanityOptions& /*options*/) noexcept {
  const auto value = m.get<hdr::MaxForwards>();
  if (value || value.error().code == Errc::missing) return {};
  return bad(check::kMaxForwards, "Bad Max-Forwards");
}

bool is_supported(std::string_view tag, const SanityOptions& options) noexcept {
  for (const auto known : options.supported) {
    if (iequals(tag, known)) return true;
  }
  return false;
}

Verdict proxy_require(const Message& m, const SanityOptions& options) noexcept {
  std::size_t room = 0;
  for (const HeaderField* f = m.find(HeaderId::proxy_require); f != nullptr; f = m.next_same(*f)) {
    if (!m.get<hdr::ProxyRequire>(*f)) return bad(check::kProxyRequire, "Bad Proxy-Require");
    // Each tag is written with one comma and one space more, and stands with at least one comma between two.
    room += 2 * f->value().size() + 2;
  }
  if (room == 0) return {};
  auto* list = static_cast<char*>(m.arena().allocate(room, 1));
  std::size_t size = 0;
  bool failed = false;
  for (const HeaderField* f = m.find(HeaderId::proxy_require); f != nullptr; f = m.next_same(*f)) {
    std::string_view rest = f->value(), tag;
    while (TokenList::next(rest, tag)) {
      if (is_supported(tag, options)) continue;
      failed = true;
      if (list == nullptr) continue;
      if (size != 0) {
        std::memcpy(list + size, ", ", 2);
        size += 2;
      }
      std::memcpy(list + size, tag.data(), tag.size());
      size += tag.size();
    }
  }
  if (!failed) return {};
  return SanityFailure{check::kProxyRequire, 420, "Bad Extension", {list, size}};
}

/// nullopt: good; else the reason.
std::optional<std::string_view> address_fault(const Result<const NameAddr*>& address,
                                              std::string_view missing, std::string_view malformed) noexcept {
  if (!address) return address.error().code == Errc::missing ? missing : malformed;
  if (!parse_uri((*address)->uri)) return malformed;
  return std::nullopt;
}

Verdict parse_uris(const Message& m, const SanityOptions& options) noexcept {
  if (m.is_request() && (options.uris & check::kUriRequest) != 0 && !parse_uri(m.start().uri)) {
    return bad(check::kParseUris, "Bad Request-URI");
  }
  std::optional<std::string_view> fault;
  if ((options.uris & check::kUriFrom) != 0) {
    fault = address_fault(m.get<hdr::From>(), "Missing From Header", "Bad From Header");
  }
  if (!fault && (options.uris & check::kUriTo) != 0) {
    fault = address_fault(m.get<hdr::To>(), "Missing To Header", "Bad To Header");
  }
  if (fault) return bad(check::kParseUris, *fault);
  if ((options.uris & check::kUriContact) == 0) return {};
  for (const HeaderField* f = m.find(HeaderId::contact); f != nullptr; f = m.next_same(*f)) {
    const auto first = m.get<hdr::Contact>(*f);
    if (!first) return bad(check::kParseUris, "Bad Contact Header");
    for (const Contact* c = *first; c != nullptr; c = c->next) {
      if (!c->star && !parse_uri(c->uri)) return bad(check::kParseUris, "Bad Contact Header");
    }
  }
  return {};
}

Verdict request_uri(const Message& m, const SanityOptions& /*options*/) noexcept {
  const auto uri = parse_uri(m.start().uri);
  if (!uri) return bad(check::kRequestUri, "Bad Request-URI");
  if (!uri->headers.empty()) return bad(check::kRequestUri, "Header Fields in Request-URI");
  return {};
}

template <class H>
Verdict credentials(const Message& m, std::uint32_t which, bool complete) noexcept {
  for (const HeaderField* f = m.find(H::id); f != nullptr; f = m.next_same(*f)) {
    const auto c = m.get<H>(*f);
    if (!c) return bad(which, "Bad Credentials");
    if (complete && (*c)->digest && !(*c)->complete()) return bad(which, "Incomplete Digest Credentials");
  }
  return {};
}

Verdict digest(const Message& m, const SanityOptions& /*options*/) noexcept {
  if (auto fault = credentials<hdr::Authorization>(m, check::kDigest, true)) return fault;
  return credentials<hdr::ProxyAuthorization>(m, check::kDigest, true);
}

Verdict authorization(const Message& m, const SanityOptions& /*options*/) noexcept {
  return credentials<hdr::Authorization>(m, check::kAuthorization, false);
}

/// Looks at the text, because a field with two tags is malformed for the parser.
bool has_two_tags(const HeaderField* field) noexcept {
  if (field == nullptr) return false;
  const std::string_view value = field->value();
  const std::size_t begin = value.rfind('>');
  const std::size_t semicolon = value.find(';', begin == std::string_view::npos ? 0 : begin);
  if (semicolon == std::string_view::npos) return false;
  unsigned tags = 0;
  ParamIterator it(value.substr(semicolon));
  while (it.next()) tags += iequals(it.name, "tag") ? 1U : 0U;
  return tags > 1;
}

Verdict duplicate_tags(const Message& m, const SanityOptions& /*options*/) noexcept {
  if (has_two_tags(m.find(HeaderId::from))) return bad(check::kDuplicateTags, "Multiple From Tags");
  if (has_two_tags(m.find(HeaderId::to))) return bad(check::kDuplicateTags, "Multiple To Tags");
  return {};
}

Verdict via1(const Message& m, const SanityOptions& /*options*/) noexcept {
  const auto via = m.via(0);
  if (via) return (*via)->other_version ? bad(check::kVia1, "Bad Via Header") : Verdict{};
  return bad(check::kVia1, via.error().code == Errc::missing ? "Missing Via Header" : "Bad Via Header");
}

Verdict next_via(const Message& m, const SanityOptions& /*options*/) noexcept {
  const auto via = m.via(1);
  if (!via) return via.error().code == Errc::missing ? Verdict{} : bad(check::kNextVia, "Bad Via Header");
  const auto text = (*via)->received.empty() ? (*via)->host : (*via)->received;
  const auto ip = parse_ip(text);
  if (ip && (ip->is_multicast_or_broadcast() || ip->is_wildcard()))
    return bad(check::kNextVia, "Broadcast Via");
  return {};
}

Verdict duplicate_headers(const Message& m, const SanityOptions& /*options*/) noexcept {
  constexpr std::array<HeaderId, 7> once{HeaderId::from,         HeaderId::to,
                                         HeaderId::call_id,      HeaderId::cseq,
                                         HeaderId::max_forwards, HeaderId::content_length,
                                         HeaderId::content_type};
  for (const HeaderId id : once) {
    const HeaderField* field = m.find(id);
    if (field == nullptr) continue;
    const HeaderField* second = m.next_same(*field);
    // Some stacks repeat Content-Length; only different values are dangerous.
    while (second != nullptr && id == HeaderId::content_length && second->value() == field->value()) {
      second = m.next_same(*second);
    }
    if (second != nullptr) return bad(check::kDuplicateHeaders, "Duplicate Header Field");
  }
  return {};
}

Verdict header_lines(const Message& m, const SanityOptions& /*options*/) noexcept {
  const auto indexed = m.index_all();
  if (indexed) return {};
  switch (indexed.error().code) {
    case Errc::too_many:
      return bad(check::kHeaderLines, "Too Many Header Fields", 513);
    case Errc::no_memory:
      return bad(check::kHeaderLines, "Server Internal Error", 500);
    case Errc::incomplete:
      return bad(check::kHeaderLines, "Incomplete Message");
    default:
      return bad(check::kHeaderLines, "Bad Header Line");
  }
}

struct Row {
  std::uint32_t bit;
  bool response;  ///< makes sense for responses too
  Verdict (*run)(const Message&, const SanityOptions&) noexcept;
};

constexpr std::array<Row, 18> kRows{{
    {check::kVersion, false, version},
    {check::kHeaderLines, true, header_lines},
    {check::kVia1, true, via1},
    {check::kDuplicateHeaders, true, duplicate_headers},
    {check::kScheme, false, scheme},
    {check::kRequestUri, false, request_uri},
    {check::kRequiredHeaders, true, required_headers},
    {check::kCSeqValue, true, cseq_value},
    {check::kCSeqMethod, false, cseq_method},
    {check::kContentLength, true, content_length},
    {check::kExpires, false, expires},
    {check::kMaxForwards, false, max_forwards},
    {check::kDuplicateTags, true, duplicate_tags},
    {check::kParseUris, true, parse_uris},
    {check::kDigest, false, digest},
    {check::kAuthorization, false, authorization},
    {check::kProxyRequire, false, proxy_require},
    {check::kNextVia, true, next_via},
}};

Verdict run(const Message& m, const SanityOptions& options, bool response) noexcept {
  for (const Row& row : kRows) {
    if ((options.checks & row.bit) == 0 || (response && (!row.response)) ||
        (!response && row.bit == check::kNextVia)) {
      continue;
    }
    if (auto failure = row.run(m, options)) return failure;
  }
  return {};
}

}  // namespace

std::optional<SanityFailure> check_request(const Message& request, const SanityOptions& options) noexcept {
  return run(request, options, false);
}

std::optional<SanityFailure> check_response(const Message& response, const SanityOptions& options) noexcept {
  return run(response, options, true);
}

SanityFailure start_line_failure(const Error& error) noexcept {
  if (error.code == Errc::version) return {check::kVersion, 505, "Version Not Supported", {}};
  return {check::kHeaderLines, 400, "Bad Start Line", {}};
}

}  // namespace ser::sip
