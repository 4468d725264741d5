// SPDX-License-Identifier: Apache-2.0
#include "sip/auth.h"

#include <array>

#include "base/text.h"

namespace ser::sip {

namespace {

/// `name = value` pairs with commas between them, LWS and folds allowed around everything (RFC 3261 25.1
/// auth-param).
class AuthParams {
 public:
  explicit AuthParams(std::string_view text) noexcept : x_text(text) {}

  std::string_view name, value;

  /// The next pair. False at the end and at a fault; then fault() tells.
  bool next() noexcept {
    skip_lws();
    // Empty list elements are legal in the list grammar HTTP digest came from.
    while (x_at < x_text.size() && x_text[x_at] == ',') {
      ++x_at;
      skip_lws();
    }
    if (x_at == x_text.size()) return false;
    const std::size_t start = x_at;
    while (x_at < x_text.size() && is_name(x_text[x_at])) ++x_at;
    name = x_text.substr(start, x_at - start);
    skip_lws();
    if (name.empty() || x_at == x_text.size() || x_text[x_at] != '=') return fail("expected name = value");
    ++x_at;
    skip_lws();
    if (!(x_at < x_text.size() && x_text[x_at] == '"' ? quoted() : token())) return false;
    skip_lws();
    if (x_at != x_text.size() && x_text[x_at] != ',') return fail("expected a comma between parameters");
    return true;
  }

  const char* fault() const noexcept { return x_fault; }
  std::uint32_t offset() const noexcept { return static_cast<std::uint32_t>(x_at); }

 private:
  static bool is_name(char c) noexcept {
    return is_alnum(c) || std::string_view("-.!%*_+`'~").find(c) != std::string_view::npos;
  }
  void skip_lws() noexcept {
    while (x_at < x_text.size() && is_lws(x_text[x_at])) ++x_at;
  }
  bool fail(const char* what) noexcept {
    x_fault = what;
    return false;
  }
  bool quoted() noexcept {
    const std::size_t start = ++x_at;
    for (; x_at < x_text.size(); ++x_at) {
      if (x_text[x_at] == '"') {
        value = x_text.substr(start, x_at - start);
        ++x_at;
        return true;
      }
      if (x_text[x_at] == '\\') ++x_at;
    }
    x_at = x_text.size();
    return fail("unterminated quoted string");
  }
  bool token() noexcept {
    // Wider than `token`: clients leave the quotes off URIs and base64 nonces.
    const std::size_t start = x_at;
    while (x_at < x_text.size() && !is_lws(x_text[x_at]) && x_text[x_at] != ',' && x_text[x_at] != '"')
      ++x_at;
    value = x_text.substr(start, x_at - start);
    return !value.empty() || fail("empty value");
  }

  std::string_view x_text;
  std::size_t x_at = 0;
  const char* x_fault = nullptr;
};

struct Slot {
  std::string_view name;
  std::string_view* value;
};

Result<void> fill(std::string_view text, std::uint32_t base, std::span<const Slot> slots) noexcept {
  AuthParams params(text);
  while (params.next()) {
    for (const Slot& slot : slots) {
      if (!iequals(slot.name, params.name)) continue;
      if (slot.value->data() != nullptr)
        return {Errc::syntax, "parameter given twice", base + params.offset()};
      *slot.value = params.value;
      break;
    }
  }
  if (params.fault() != nullptr) return {Errc::syntax, params.fault(), base + params.offset()};
  return {};
}

/// Splits the scheme off. Offset of the rest in `text` goes to `base`.
bool take_scheme(std::string_view text, std::string_view& scheme, std::string_view& raw,
                 std::uint32_t& base) noexcept {
  text = trim(text);
  std::size_t end = 0;
  while (end < text.size() && !is_lws(text[end])) {
    if (text[end] == ',' || text[end] == '=' || text[end] == '"') return false;
    ++end;
  }
  scheme = text.substr(0, end);
  raw = trim(text.substr(end));
  base = static_cast<std::uint32_t>(raw.empty() ? end : static_cast<std::size_t>(raw.data() - text.data()));
  return !scheme.empty();
}

Result<std::uint32_t> nonce_count(std::string_view text) noexcept {
  if (text.data() == nullptr) return 0U;
  const auto value = parse_hex(text);
  if (!value || *value > 0xFFFFFFFFU) return {Errc::out_of_range, "nc is no 32-bit hex number"};
  return static_cast<std::uint32_t>(*value);
}

constexpr std::array<std::string_view, 8> kAlgorithms{
    "MD5", "MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess", ""};

}  // namespace

std::string_view to_string(DigestAlgorithm algorithm) noexcept {
  return kAlgorithms[static_cast<unsigned>(algorithm)];
}

DigestAlgorithm parse_algorithm(std::string_view text) noexcept {
  if (text.empty()) return DigestAlgorithm::none;
  for (unsigned i = 1; i + 1 < kAlgorithms.size(); ++i) {
    if (iequals(text, kAlgorithms[i])) return static_cast<DigestAlgorithm>(i);
  }
  return DigestAlgorithm::other;
}

Qop parse_qop(std::string_view text) noexcept {
  if (text.empty()) return Qop::none;
  if (iequals(text, "auth")) return Qop::auth;
  return iequals(text, "auth-int") ? Qop::auth_int : Qop::other;
}

bool Credentials::complete() const noexcept {
  if (!digest || (username.data() == nullptr && username_star.data() == nullptr) || realm.data() == nullptr)
    return false;
  if (nonce.empty() || uri.empty() || response.empty()) return false;
  return qop == Qop::none || (cnonce.data() != nullptr && nc_text.data() != nullptr);
}

Result<Credentials*> parse_credentials(std::string_view text, Arena& arena) noexcept {
  auto* c = arena.make<Credentials>();
  if (c == nullptr) return {Errc::no_memory, "arena exhausted"};
  std::uint32_t base = 0;
  if (!take_scheme(text, c->scheme, c->raw, base)) return {Errc::syntax, "no authentication scheme"};
  c->digest = iequals(c->scheme, "Digest");
  if (!c->digest) return c;
  std::string_view hashed;
  const std::array<Slot, 13> slots{{{"username", &c->username},
                                    {"realm", &c->realm},
                                    {"nonce", &c->nonce},
                                    {"uri", &c->uri},
                                    {"response", &c->response},
                                    {"algorithm", &c->algorithm_text},
                                    {"cnonce", &c->cnonce},
                                    {"opaque", &c->opaque},
                                    {"qop", &c->qop_text},
                                    {"nc", &c->nc_text},
                                    {"username*", &c->username_star},
                                    {"userhash", &hashed},
                                    {"auts", &c->auts}}};
  TRY_VOID(fill(c->raw, base, slots));
  c->algorithm = parse_algorithm(c->algorithm_text);
  c->qop = parse_qop(c->qop_text);
  c->userhash = iequals(hashed, "true");
  TRY(c->nc, nonce_count(c->nc_text));
  return c;
}

Result<Challenge*> parse_challenge(std::string_view text, Arena& arena) noexcept {
  auto* c = arena.make<Challenge>();
  if (c == nullptr) return {Errc::no_memory, "arena exhausted"};
  std::uint32_t base = 0;
  if (!take_scheme(text, c->scheme, c->raw, base)) return {Errc::syntax, "no authentication scheme"};
  c->digest = iequals(c->scheme, "Digest");
  if (!c->digest) return c;
  std::string_view hashed, stale;
  const std::array<Slot, 9> slots{{{"realm", &c->realm},
                                   {"nonce", &c->nonce},
                                   {"algorithm", &c->algorithm_text},
                                   {"qop", &c->qop_text},
                                   {"opaque", &c->opaque},
                                   {"stale", &stale},
                                   {"domain", &c->domain},
                                   {"charset", &c->charset},
                                   {"userhash", &hashed}}};
  TRY_VOID(fill(c->raw, base, slots));
  c->algorithm = parse_algorithm(c->algorithm_text);
  c->stale = iequals(stale, "true");
  c->userhash = iequals(hashed, "true");
  std::string_view options = c->qop_text;
  while (!options.empty()) {
    switch (parse_qop(trim(split_off(options, ',')))) {
      case Qop::none:
        break;
      case Qop::auth:
        c->qops |= Challenge::kAuth;
        break;
      case Qop::auth_int:
        c->qops |= Challenge::kAuthInt;
        break;
      case Qop::other:
        c->qops |= Challenge::kOtherQop;
        break;
    }
  }
  return c;
}

Result<AuthenticationInfo*> parse_authentication_info(std::string_view text, Arena& arena) noexcept {
  auto* info = arena.make<AuthenticationInfo>();
  if (info == nullptr) return {Errc::no_memory, "arena exhausted"};
  info->raw = trim(text);
  const std::array<Slot, 5> slots{{{"nextnonce", &info->next_nonce},
                                   {"qop", &info->qop_text},
                                   {"rspauth", &info->rspauth},
                                   {"cnonce", &info->cnonce},
                                   {"nc", &info->nc_text}}};
  TRY_VOID(fill(info->raw, 0, slots));
  info->qop = parse_qop(info->qop_text);
  TRY(info->nc, nonce_count(info->nc_text));
  return info;
}

Result<std::size_t> unquote(std::string_view raw, std::span<char> out) noexcept {
  std::size_t n = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\\' && i + 1 < raw.size()) ++i;
    if (n == out.size()) return {Errc::no_space, "no room for the unquoted text"};
    out[n++] = raw[i];
  }
  return n;
}

}  // namespace ser::sip
