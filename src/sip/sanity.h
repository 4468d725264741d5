// SPDX-License-Identifier: Apache-2.0
// Checks of a message before it is processed (RFC 3261 16.3, RFC 4475), each with a number of its own.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "sip/message.h"

namespace ser::sip {

/// Which checks. The lower half has the numbers of the family's sanity module, so that masks in scripts mean
/// the same; the upper half is ours.
namespace check {
inline constexpr std::uint32_t kVersion = 1;          ///< SIP/2.0 in the Request-Line → 505
inline constexpr std::uint32_t kScheme = 2;           ///< Request-URI is sip, sips, tel, tels or urn → 416
inline constexpr std::uint32_t kRequiredHeaders = 4;  ///< Via, From, To, Call-ID, CSeq are there → 400
inline constexpr std::uint32_t kViaVersion =
    8;  ///< without effect, as in the family: such a Via does not parse
inline constexpr std::uint32_t kViaProtocol = 16;  ///< without effect
inline constexpr std::uint32_t kCSeqMethod = 32;   ///< method of CSeq is that of the Request-Line → 400
inline constexpr std::uint32_t kCSeqValue = 64;    ///< CSeq number is one of 32 bits → 400
inline constexpr std::uint32_t kContentLength =
    128;                                        ///< a number, not more than the bytes that are there → 400
inline constexpr std::uint32_t kExpires = 256;  ///< Expires is a number of 32 bits → 400
inline constexpr std::uint32_t kProxyRequire = 512;  ///< all option tags are among those supported → 420
inline constexpr std::uint32_t kParseUris = 1024;  ///< the URIs of the second mask are there and parse → 400
inline constexpr std::uint32_t kDigest = 2048;     ///< digest credentials parse and are complete → 400
inline constexpr std::uint32_t kDuplicateTags = 4096;  ///< From and To have one tag at most → 400
inline constexpr std::uint32_t kAuthorization = 8192;  ///< Authorization fields parse → 400
inline constexpr std::uint32_t kVia1 = 16384;          ///< the first Via parses → 400

inline constexpr std::uint32_t kDuplicateHeaders =
    1U << 16;  ///< From, To, Call-ID, CSeq, Max-Forwards, Content-* once → 400
inline constexpr std::uint32_t kMaxForwards = 1U << 17;  ///< Max-Forwards is 0..255 → 400
inline constexpr std::uint32_t kHeaderLines =
    1U << 18;  ///< every line is a header field, a blank line ends them → 400
inline constexpr std::uint32_t kRequestUri =
    1U << 19;  ///< no headers in the Request-URI (RFC 3261 19.1.1) → 400
inline constexpr std::uint32_t kNextVia =
    1U << 20;  ///< responses: the second Via is no broadcast or multicast address

/// What a proxy must reject (RFC 3261 16.3, RFC 4475): for requests, for responses.
inline constexpr std::uint32_t kStrictRequest = kVersion | kScheme | kRequiredHeaders | kCSeqMethod |
                                                kCSeqValue | kContentLength | kExpires | kProxyRequire |
                                                kParseUris | kDuplicateTags | kVia1 | kDuplicateHeaders |
                                                kMaxForwards | kHeaderLines | kRequestUri;
inline constexpr std::uint32_t kStrictResponse = kRequiredHeaders | kCSeqValue | kContentLength | kParseUris |
                                                 kVia1 | kDuplicateHeaders | kHeaderLines | kNextVia;

/// Second mask: which URIs kParseUris looks at. A missing From or To fails; Contact may be missing.
inline constexpr std::uint32_t kUriRequest = 1, kUriFrom = 2, kUriTo = 4, kUriContact = 8;
}  // namespace check

struct SanityOptions {
  std::uint32_t checks = check::kStrictRequest;
  std::uint32_t uris = check::kUriRequest | check::kUriFrom | check::kUriTo;
  std::span<const std::string_view> supported = {};  ///< option tags accepted in Proxy-Require
};

/// The first check that failed.
struct SanityFailure {
  std::uint32_t check = 0;       ///< its number
  std::uint16_t status = 400;    ///< how a request is answered; a response is dropped
  std::string_view reason;       ///< phrase for the status line, static storage
  std::string_view unsupported;  ///< 420: the value of the Unsupported field (RFC 3261 16.3 step 5), in the
                                 ///< message's arena
};

/// Runs the checks of the mask, those about the Request-Line first. nullopt: all passed. Indexes and parses
/// what the checks need and no more.
std::optional<SanityFailure> check_request(const Message& request,
                                           const SanityOptions& options = {}) noexcept;
/// Checks that make sense for requests only are left out. A failure means: drop.
std::optional<SanityFailure> check_response(const Message& response,
                                            const SanityOptions& options = {
                                                check::kStrictResponse,
                                                check::kUriFrom | check::kUriTo}) noexcept;

/// What Message::parse() said about a start line, as a failure: 505 or 400.
SanityFailure start_line_failure(const Error& error) noexcept;

}  // namespace ser::sip
