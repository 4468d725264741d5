// SPDX-License-Identifier: Apache-2.0
#include "txn/loop.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "proxy/via_token.h"
#include "sip/hdr.h"

namespace ser::txn {

namespace {

/// The parts, each with its size and what it is, so that none can pass for another.
class PartHasher {
 public:
  explicit PartHasher(const HashKey& key) noexcept : x_hasher(key) {
    // The key is that of the tokens; this keeps both uses apart.
    x_hasher.add(std::string_view("loop"));
  }
  void add(sip::HeaderId what, std::string_view text) noexcept {
    x_hasher.add(std::uint64_t{static_cast<std::uint8_t>(what)} << 32 | text.size());
    x_hasher.add(text);
  }
  void add_all(const sip::Message& m, sip::HeaderId id) noexcept {
    for (const sip::HeaderField* f = m.find(id); f != nullptr; f = m.next_same(*f)) add(id, f->value());
  }
  void add_tag(sip::HeaderId what, const Result<const sip::NameAddr*>& address) noexcept {
    add(what, address ? (*address)->tag : std::string_view{});
  }
  void add_number(std::uint64_t number) noexcept { x_hasher.add(number); }
  std::uint64_t finish() noexcept { return x_hasher.finish(); }

 private:
  SipHasher x_hasher;
};

}  // namespace

std::uint32_t loop_hash(const sip::Message& request, const HashKey& key) noexcept {
  using sip::HeaderId;
  PartHasher hasher(key);
  hasher.add(HeaderId::other, request.start().uri);
  hasher.add_all(request, HeaderId::route);
  const sip::HeaderField* call_id = request.find(HeaderId::call_id);
  hasher.add(HeaderId::call_id, call_id != nullptr ? call_id->value() : std::string_view{});
  const auto cseq = request.get<sip::hdr::CSeq>();
  hasher.add_number(cseq ? (*cseq)->number : 0);
  hasher.add_tag(HeaderId::from, request.get<sip::hdr::From>());
  hasher.add_tag(HeaderId::to, request.get<sip::hdr::To>());
  hasher.add_all(request, HeaderId::proxy_require);
  hasher.add_all(request, HeaderId::proxy_authorization);
  const std::uint64_t hash = hasher.finish();
  const auto folded = static_cast<std::uint32_t>(hash ^ hash >> 32);
  return folded != 0 ? folded : 1;
}

bool is_loop(const sip::Message& request, const HashKey& key, std::uint32_t hash) noexcept {
  for (auto via = request.via(0); via;) {
    const auto below = request.next_value<sip::hdr::Via>(**via);
    if (!below) return false;  // A Via of ours has one below.
    const auto token = proxy::read_token(key, (*via)->branch, *below);
    if (token && token->kind == proxy::ViaToken::Kind::stateful && token->loop_hash == hash) return true;
    via = below;
  }
  return false;
}

Result<std::uint32_t> incoming_breadth(const sip::Message& request, std::uint32_t limit) noexcept {
  const auto breadth = request.get<sip::hdr::MaxBreadth>();
  if (breadth) return std::min((*breadth)->value, limit);
  if (breadth.error().code == Errc::missing || breadth.error().code == Errc::out_of_range) return limit;
  return breadth.error();
}

std::string_view breadth_line(std::uint32_t breadth, std::span<char, 32> out) noexcept {
  constexpr std::string_view kName = "Max-Breadth: ";
  std::memcpy(out.data(), kName.data(), kName.size());
  std::size_t size = kName.size();
  char digits[20];
  const std::size_t count = print_u64(digits, breadth);
  std::memcpy(out.data() + size, digits, count);
  size += count;
  out[size++] = '\r';
  out[size++] = '\n';
  return {out.data(), size};
}

}  // namespace ser::txn
