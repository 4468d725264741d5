// SPDX-License-Identifier: Apache-2.0
// Changes to parts of the current Request-URI.
#include "script/uri_rewrite.h"

#include <array>
#include <cstring>

#include "proxy/services.h"
#include "script/vm.h"
#include "sip/uri.h"

namespace ser::script {

using proxy::Run;

namespace {

// SER's limit for a rewritten URI.
constexpr std::size_t kMaxUri = 1024;

class Assembly {
 public:
  void add(std::string_view text) noexcept {
    if (text.size() > x_bytes.size() - x_size) {
      x_overflow = true;
      return;
    }
    if (!text.empty()) std::memcpy(x_bytes.data() + x_size, text.data(), text.size());
    x_size += text.size();
  }
  Result<void> store(Run& run) const noexcept {
    if (x_overflow) return {Errc::too_long, "the new Request-URI is too long"};
    return run.set_uri({x_bytes.data(), x_size});
  }

 private:
  std::array<char, kMaxUri> x_bytes;
  std::size_t x_size = 0;
  bool x_overflow = false;
};

// What may not stand in any part of a URI: it would end the start line or the address.
bool is_clean(std::string_view text) noexcept {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7F || c == '<' || c == '>' || c == '"') return false;
  }
  return true;
}

struct Pieces {
  std::string_view user;  // with password
  std::string_view host_port;
};

// A tel URI has a number and no host. With one it becomes a sip URI: the number with its parameters is the
// user then (RFC 3261 19.1.6).
Result<void> put_tel_together(Run& run, const sip::Uri& uri, const Pieces& pieces) noexcept {
  if (pieces.user.empty()) return {Errc::syntax, "a tel URI needs a number"};
  Assembly out;
  out.add(pieces.host_port.empty() ? uri.scheme_text : "sip");
  out.add(":");
  out.add(pieces.user);
  const auto after = static_cast<std::size_t>(uri.user.data() + uri.user.size() - uri.text.data());
  out.add(uri.text.substr(after));
  if (!pieces.host_port.empty()) {
    out.add("@");
    out.add(pieces.host_port);
    out.add(";user=phone");
  }
  return out.store(run);
}

Result<void> put_together(Run& run, const sip::Uri& uri, const Pieces& pieces) noexcept {
  if (uri.scheme == sip::UriScheme::tel) return put_tel_together(run, uri, pieces);
  Assembly out;
  out.add(uri.scheme_text);
  out.add(":");
  if (!pieces.user.empty()) {
    out.add(pieces.user);
    out.add("@");
  }
  out.add(pieces.host_port);
  const std::string_view old = uri.host_port();
  const auto after = static_cast<std::size_t>(old.data() + old.size() - uri.text.data());
  out.add(uri.text.substr(after));
  return out.store(run);
}

std::string_view user_and_password(const sip::Uri& uri) noexcept {
  if (uri.scheme == sip::UriScheme::tel) return uri.user;
  if (!uri.has_user) return {};
  if (!uri.has_password) return uri.user;
  return {uri.user.data(),
          static_cast<std::size_t>(uri.password.data() + uri.password.size() - uri.user.data())};
}

std::string_view host_port_of(const sip::Uri& uri) noexcept {
  return uri.scheme == sip::UriScheme::tel ? std::string_view() : uri.host_port();
}

Result<const sip::Uri*> current(Run& run) noexcept {
  const sip::Uri* uri = Vm::of(run).request_uri(run);
  if (uri == nullptr || uri->scheme == sip::UriScheme::other) {
    return {Errc::syntax, "the current Request-URI is no good sip, sips or tel URI"};
  }
  return uri;
}

// `first` and `second` joined on the caller's stack.
struct Joined {
  std::array<char, kMaxUri> bytes;
  std::size_t size = 0;
  bool put(std::string_view text) noexcept {
    if (text.size() > bytes.size() - size) return false;
    if (!text.empty()) std::memcpy(bytes.data() + size, text.data(), text.size());
    size += text.size();
    return true;
  }
  std::string_view view() const noexcept { return {bytes.data(), size}; }
};

constexpr Error kTooLong{Errc::too_long, 0, "the new Request-URI is too long"};

}  // namespace

Result<void> rewrite_uri(Run& run, UriPart part, std::string_view text) noexcept {
  if (!is_clean(text)) return {Errc::syntax, "the text cannot stand in a URI"};
  TRY(const sip::Uri* uri, current(run));
  const bool tel = uri->scheme == sip::UriScheme::tel;
  if (tel && (part == UriPart::port || part == UriPart::user_password))
    return {Errc::syntax, "a tel URI has neither port nor password"};
  Pieces pieces{user_and_password(*uri), host_port_of(*uri)};
  Joined joined;
  switch (part) {
    case UriPart::host: {
      if (text.empty()) return {Errc::syntax, "a URI needs a host"};
      const std::string_view old_port = tel ? std::string_view() : uri->host_port().substr(uri->host.size());
      if (!joined.put(text) || !joined.put(old_port)) return kTooLong;
      pieces.host_port = joined.view();
      break;
    }
    case UriPart::host_port:
      if (text.empty()) return {Errc::syntax, "a URI needs a host"};
      pieces.host_port = text;
      break;
    case UriPart::user:
      if (text.empty()) {
        pieces.user = {};
      } else if (uri->has_password) {
        if (!joined.put(text) || !joined.put(":") || !joined.put(uri->password)) return kTooLong;
        pieces.user = joined.view();
      } else {
        pieces.user = text;
      }
      break;
    case UriPart::user_password:
      pieces.user = text;
      break;
    case UriPart::port:
      if (!joined.put(uri->host)) return kTooLong;
      if (!text.empty() && (!joined.put(":") || !joined.put(text))) return kTooLong;
      pieces.host_port = joined.view();
      break;
  }
  return put_together(run, *uri, pieces);
}

Result<void> prefix_user(Run& run, std::string_view text) noexcept {
  if (!is_clean(text)) return {Errc::syntax, "the text cannot stand in a URI"};
  TRY(const sip::Uri* uri, current(run));
  Joined joined;
  if (!joined.put(text) || !joined.put(user_and_password(*uri))) return kTooLong;
  return put_together(run, *uri, {joined.view(), host_port_of(*uri)});
}

Result<void> strip_user(Run& run, std::int64_t count, bool tail) noexcept {
  TRY(const sip::Uri* uri, current(run));
  if (count <= 0) return {};
  const auto length = static_cast<std::int64_t>(uri->user.size());
  if (count > length) {
    LOG(run.services().log, warning, "too long strip asked; the user is removed: {} of `{}`", count,
        uri->user);
  }
  if (count >= length) return put_together(run, *uri, {{}, host_port_of(*uri)});
  const auto cut = static_cast<std::size_t>(count);
  if (!tail) return put_together(run, *uri, {user_and_password(*uri).substr(cut), host_port_of(*uri)});
  Joined joined;
  if (!joined.put(uri->user.substr(0, uri->user.size() - cut))) return kTooLong;
  if (uri->has_password && (!joined.put(":") || !joined.put(uri->password))) return kTooLong;
  return put_together(run, *uri, {joined.view(), host_port_of(*uri)});
}

Result<void> mark_user_phone(Run& run) noexcept {
  TRY(const sip::Uri* uri, current(run));
  // A tel URI says so by its scheme.
  if (uri->scheme == sip::UriScheme::tel || uri->has_param("user")) return {};
  const std::size_t headers = uri->headers.data() == nullptr
                                  ? uri->text.size()
                                  : static_cast<std::size_t>(uri->headers.data() - uri->text.data()) - 1;
  Assembly out;
  out.add(uri->text.substr(0, headers));
  out.add(";user=phone");
  out.add(uri->text.substr(headers));
  return out.store(run);
}

}  // namespace ser::script
