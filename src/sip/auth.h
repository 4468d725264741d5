// SPDX-License-Identifier: Apache-2.0
// Digest challenge and credentials (RFC 3261 22, RFC 7616, RFC 8760, RFC 3310); other schemes are kept raw.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "sip/hdr.h"

namespace ser::sip {

/// The algorithm parameter. `none`: absent, which means MD5 (RFC 3261 22.4).
enum class DigestAlgorithm : std::uint8_t {
  none,
  md5,
  md5_sess,
  sha256,
  sha256_sess,
  sha512_256,
  sha512_256_sess,
  other
};

/// One quality of protection, as credentials choose it.
enum class Qop : std::uint8_t { none, auth, auth_int, other };

/// Text of an algorithm ("SHA-256-sess"); "MD5" for none, empty for other. Static storage.
std::string_view to_string(DigestAlgorithm algorithm) noexcept;
/// Without regard to case; empty text is none.
DigestAlgorithm parse_algorithm(std::string_view text) noexcept;
/// Without regard to case; empty text is none.
Qop parse_qop(std::string_view text) noexcept;

/// What Authorization and Proxy-Authorization hold. Values are without their quotes, escapes (\x) as they
/// stand there; whether the client quoted a value makes no difference. Text that is absent is empty and its
/// pointer null.
struct Credentials {
  std::string_view scheme;  ///< "Digest" as written
  std::string_view raw;     ///< all that follows the scheme, trimmed
  std::string_view username;
  std::string_view username_star;  ///< username*: RFC 5987 ext-value, undecoded (RFC 7616 3.4)
  std::string_view realm;
  std::string_view nonce;
  std::string_view uri;
  std::string_view response;
  std::string_view algorithm_text;
  std::string_view cnonce;
  std::string_view opaque;
  std::string_view qop_text;
  std::string_view nc_text;
  std::string_view auts;  ///< RFC 3310 3.4
  std::uint32_t nc = 0;   ///< nonce count, 0 when absent
  DigestAlgorithm algorithm = DigestAlgorithm::none;
  Qop qop = Qop::none;
  bool userhash = false;  ///< the username is a hash (RFC 7616 3.4.4)
  bool digest = false;    ///< the scheme is Digest; otherwise only `scheme` and `raw` are filled

  /// What a server needs to check it: user name, realm, nonce, uri and response, and with a qop also cnonce
  /// and nc.
  bool complete() const noexcept;
};

/// What WWW-Authenticate and Proxy-Authenticate hold, under the same rules.
struct Challenge {
  static constexpr std::uint8_t kAuth = 1, kAuthInt = 2, kOtherQop = 4;
  std::string_view scheme;
  std::string_view raw;
  std::string_view realm;
  std::string_view domain;
  std::string_view nonce;
  std::string_view opaque;
  std::string_view algorithm_text;
  std::string_view qop_text;
  std::string_view charset;
  std::uint8_t qops = 0;  ///< kAuth, kAuthInt, kOtherQop; 0: no qop parameter
  DigestAlgorithm algorithm = DigestAlgorithm::none;
  bool stale = false;
  bool userhash = false;
  bool digest = false;
};

/// What Authentication-Info and Proxy-Authentication-Info hold (RFC 7615, RFC 7616 3.5).
struct AuthenticationInfo {
  std::string_view raw;
  std::string_view next_nonce;
  std::string_view qop_text;
  std::string_view rspauth;
  std::string_view cnonce;
  std::string_view nc_text;
  std::uint32_t nc = 0;
  Qop qop = Qop::none;
};

/// Errc::syntax for a text that is no scheme and parameter list, or has a known parameter twice; out_of_range
/// for an nc that is not hex digits; no_memory. Unknown parameters are skipped. Linear time, one pass. Views
/// point into the text.
Result<Credentials*> parse_credentials(std::string_view text, Arena& arena) noexcept;
Result<Challenge*> parse_challenge(std::string_view text, Arena& arena) noexcept;
Result<AuthenticationInfo*> parse_authentication_info(std::string_view text, Arena& arena) noexcept;

/// Writes a quoted value with its escapes resolved (\" becomes "). Errc::no_space.
Result<std::size_t> unquote(std::string_view raw, std::span<char> out) noexcept;

namespace hdr {
struct Authorization : Tag<HeaderId::authorization, Credentials, parse_credentials> {};
struct ProxyAuthorization : Tag<HeaderId::proxy_authorization, Credentials, parse_credentials> {};
struct WwwAuthenticate : Tag<HeaderId::www_authenticate, Challenge, parse_challenge> {};
struct ProxyAuthenticate : Tag<HeaderId::proxy_authenticate, Challenge, parse_challenge> {};
struct AuthenticationInfo
    : Tag<HeaderId::authentication_info, sip::AuthenticationInfo, parse_authentication_info> {};
}  // namespace hdr

}  // namespace ser::sip
