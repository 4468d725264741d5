// SPDX-License-Identifier: Apache-2.0
#include "proxy/via_token.h"

#include <array>
#include <cstring>

#include "base/text.h"
#include "sip/hdr.h"

namespace ser::proxy {

namespace {

constexpr std::size_t kCookie = kMagicCookie.size();
constexpr std::size_t kProofDigits = 16;
constexpr std::size_t kStatelessSize = kCookie + 1 + 2 + kProofDigits;
constexpr std::size_t kUniqueSize = kCookie + 1 + 2 + 16 + kProofDigits;
constexpr std::size_t kStatefulSize = kCookie + 1 + 8 + 8 + 2 + 8 + kProofDigits;
static_assert(kStatefulSize <= kMaxToken);

/// Values of the digits; 16: none. We write lower case.
constexpr std::array<std::uint8_t, 256> make_digits() noexcept {
  std::array<std::uint8_t, 256> values{};
  values.fill(16);
  for (unsigned i = 0; i < 16; ++i)
    values[static_cast<unsigned char>("0123456789abcdef"[i])] = static_cast<std::uint8_t>(i);
  return values;
}
constexpr std::array<std::uint8_t, 256> kDigits = make_digits();

/// Host and port are hashed apart from the text between them, which a client may have written with white
/// space.
std::uint64_t proof(const HashKey& key, std::string_view head, const sip::Via& below) noexcept {
  head.remove_prefix(kCookie);
  if (head.front() == static_cast<char>(ViaToken::Kind::stateful)) return sip_hash(key, head);
  char port[sizeof below.port];
  std::memcpy(port, &below.port, sizeof port);
  return sip_hash(key, {head, below.host, {port, sizeof port}, below.branch});
}

bool has_cookie(std::string_view branch) noexcept {
  return branch.size() > kCookie && branch.substr(0, kCookie) == kMagicCookie;
}

std::string_view tag_of(const Result<const sip::NameAddr*>& value) noexcept {
  return value ? (*value)->tag : std::string_view{};
}

}  // namespace

bool has_unique_branch(const sip::Via& via) noexcept {
  return has_cookie(via.branch);
}

std::size_t write_token(const HashKey& key, const ViaToken& token, const sip::Via& below,
                        std::span<char, kMaxToken> out) noexcept {
  char* at = out.data();
  std::memcpy(at, kMagicCookie.data(), kCookie);
  at += kCookie;
  *at++ = static_cast<char>(token.kind);
  const auto hex = [&at](std::uint64_t value, unsigned digits) {
    print_hex(at, value, digits);
    at += digits;
  };
  if (token.kind == ViaToken::Kind::stateful) {
    hex(token.cell, 8);
    hex(token.generation, 8);
    hex(token.branch_index, 2);
    hex(token.loop_hash, 8);
  } else {
    hex(token.branch_index, 2);
    if (token.kind == ViaToken::Kind::stateless_2543) hex(token.unique, 16);
  }
  hex(proof(key, {out.data(), static_cast<std::size_t>(at - out.data())}, below), kProofDigits);
  return static_cast<std::size_t>(at - out.data());
}

std::optional<ViaToken> parse_token(std::string_view branch) noexcept {
  if (branch.size() < kStatelessSize || !has_cookie(branch)) return std::nullopt;
  ViaToken token;
  token.kind = static_cast<ViaToken::Kind>(branch[kCookie]);
  const char* at = branch.data() + kCookie + 1;
  unsigned seen = 0;  // of all digits: the bits
  const auto hex = [&](unsigned digits) {
    std::uint64_t value = 0;
    for (; digits != 0; --digits) {
      const unsigned digit = kDigits[static_cast<unsigned char>(*at++)];
      seen |= digit;
      value = value << 4 | digit;
    }
    return value;
  };
  if (token.kind == ViaToken::Kind::stateful && branch.size() == kStatefulSize) {
    token.cell = static_cast<std::uint32_t>(hex(8));
    token.generation = static_cast<std::uint32_t>(hex(8));
    token.branch_index = static_cast<std::uint8_t>(hex(2));
    token.loop_hash = static_cast<std::uint32_t>(hex(8));
  } else if (token.kind == ViaToken::Kind::stateless && branch.size() == kStatelessSize) {
    token.branch_index = static_cast<std::uint8_t>(hex(2));
  } else if (token.kind == ViaToken::Kind::stateless_2543 && branch.size() == kUniqueSize) {
    token.branch_index = static_cast<std::uint8_t>(hex(2));
    token.unique = hex(16);
  } else {
    return std::nullopt;
  }
  if (seen >= 16) return std::nullopt;
  return token;
}

std::optional<ViaToken> read_token(const HashKey& key, std::string_view branch,
                                   const sip::Via* below) noexcept {
  if (below == nullptr) return std::nullopt;
  const auto token = parse_token(branch);
  if (!token) return std::nullopt;
  const std::size_t at = branch.size() - kProofDigits;
  // As text: we write lower case, so a branch whose letters were changed in case is none of ours.
  std::array<char, kProofDigits> expected{};
  print_hex(expected.data(), proof(key, branch.substr(0, at), *below), kProofDigits);
  if (std::memcmp(branch.data() + at, expected.data(), kProofDigits) != 0) return std::nullopt;
  return token;
}

std::optional<ViaToken> read_token(const HashKey& key, const sip::Message& response) noexcept {
  const auto top = response.via(0);
  if (!top) return std::nullopt;
  const std::string_view branch = (*top)->branch;
  if (branch.size() != kStatefulSize || branch[kCookie] != static_cast<char>(ViaToken::Kind::stateful)) {
    const auto below = response.via(1);
    return read_token(key, branch, below ? *below : nullptr);
  }
  if ((*top)->next != nullptr) return read_token(key, branch, (*top)->next);
  static constexpr sip::ShapeSet kVia{sip::HeaderId::via};
  sip::Message::Line first;
  sip::Message::Line second;
  const bool has_second =
      response.next_line(kVia, 0, first) && response.next_line(kVia, first.number + 1, second);
  return read_token(key, branch, has_second ? *top : nullptr);
}

ViaToken stateless_token(const HashKey& key, sip::Message& request, const sip::Via& top,
                         std::uint8_t branch_index) noexcept {
  ViaToken token;
  token.branch_index = branch_index;
  // A branch that is only the cookie identifies nothing (RFC 4475 3.2.1): such a client is treated as one of
  // RFC 2543.
  if (has_unique_branch(top)) return token;
  token.kind = ViaToken::Kind::stateless_2543;
  SipHasher hasher(key);
  hasher.add(top.text);
  hasher.add(tag_of(request.get<sip::hdr::From>()));
  hasher.add(request.start().uri);
  if (const sip::HeaderField* call_id = request.find(sip::HeaderId::call_id); call_id != nullptr)
    hasher.add(call_id->value());
  if (const auto cseq = request.get<sip::hdr::CSeq>(); cseq) hasher.add(std::uint64_t{(*cseq)->number});
  // The To tag of an ACK is not the INVITE's; a CANCEL's is. Leaving it out keeps INVITE, CANCEL and the ACK
  // to a non-2xx response together, which is what 16.11 is for.
  token.unique = hasher.finish();
  return token;
}

}  // namespace ser::proxy
