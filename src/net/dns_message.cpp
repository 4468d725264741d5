// SPDX-License-Identifier: Apache-2.0
#include "net/dns_message.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace ser::net {

namespace {

constexpr unsigned kMaxRecords = 512;
constexpr unsigned kMaxPointers = 16;
constexpr unsigned kMaxChain = 8;
constexpr std::size_t kHeaderSize = 12;
constexpr Error kBad{Errc::syntax, 0, "malformed DNS message"};

bool is_name_char(char c) noexcept {
  return is_alnum(c) || c == '-' || c == '_' || c == '/';
}

/// Bounds-checked reading of one message.
class Reader {
 public:
  explicit Reader(std::string_view bytes) noexcept : x_bytes(bytes) {}
  std::size_t at() const noexcept { return x_at; }
  void go(std::size_t at) noexcept { x_at = at; }
  bool has(std::size_t n) const noexcept { return n <= x_bytes.size() - x_at; }
  bool skip(std::size_t n) noexcept {
    if (!has(n)) return false;
    x_at += n;
    return true;
  }
  /// The caller checked has(2).
  std::uint16_t u16() noexcept {
    const auto value = static_cast<std::uint16_t>(byte(x_at) << 8 | byte(x_at + 1));
    x_at += 2;
    return value;
  }
  std::uint32_t u32() noexcept {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  void copy(void* out, std::size_t n) noexcept {
    std::memcpy(out, x_bytes.data() + x_at, n);
    x_at += n;
  }

  /// Passes a name without reading where its pointer leads.
  bool skip_name() noexcept {
    while (has(1)) {
      const unsigned length = byte(x_at++);
      if (length == 0) return true;
      if (length >= 0xC0) return skip(1);
      if (length > 63 || !skip(length)) return false;
    }
    return false;
  }

  /// Reads a name and moves behind it. A pointer must lead backwards, so that no loop is possible. `out` is
  /// empty for the root and for a name with bytes that no host or service name has (`odd`).
  bool name(DnsName& out, bool& odd) noexcept {
    out.size = 0;
    odd = false;
    std::size_t at = x_at;
    std::size_t lowest = x_at;
    std::size_t end = 0;
    unsigned pointers = 0;
    std::size_t size = 0;
    for (;;) {
      if (at >= x_bytes.size()) return false;
      const unsigned length = byte(at++);
      if (length == 0) break;
      if (length >= 0xC0) {
        if (at >= x_bytes.size() || ++pointers > kMaxPointers) return false;
        const std::size_t target = (length & 0x3FU) << 8 | byte(at);
        if (end == 0) end = at + 1;
        if (target >= lowest || target < kHeaderSize) return false;
        lowest = at = target;
        continue;
      }
      if (length > 63 || length > x_bytes.size() - at) return false;
      if (size + length + 1 > DnsName::kMax + 1) return false;
      if (size != 0) out.chars[size++] = '.';
      for (unsigned i = 0; i < length; ++i, ++at) {
        if (!is_name_char(x_bytes[at])) odd = true;
        out.chars[size++] = to_lower(x_bytes[at]);
      }
    }
    out.size = odd ? std::uint8_t{0} : static_cast<std::uint8_t>(size);
    x_at = end == 0 ? at : end;
    return true;
  }

 private:
  unsigned byte(std::size_t at) const noexcept { return static_cast<unsigned char>(x_bytes[at]); }
  std::string_view x_bytes;
  std::size_t x_at = 0;
};

struct Record {
  std::uint16_t type = 0;
  std::uint16_t dns_class = 0;
  std::uint32_t ttl = 0;
  std::size_t data = 0;
  std::size_t size = 0;
};

/// Reads the fixed part behind the owner name and moves behind the data.
bool read_record(Reader& reader, Record& out) noexcept {
  if (!reader.has(10)) return false;
  out.type = reader.u16();
  out.dns_class = reader.u16();
  out.ttl = reader.u32();
  if (out.ttl > 0x7FFFFFFFU) out.ttl = 0;  // RFC 2181 8
  out.size = reader.u16();
  out.data = reader.at();
  return reader.skip(out.size);
}

/// Reads the answers of one message for one question.
class AnswerReader {
 public:
  AnswerReader(std::string_view message, DnsAnswer& out) noexcept : x_reader(message), x_out(out) {}

  Result<void> read(std::string_view name, DnsType type) noexcept {
    TRY_VOID(read_head(name, type));
    std::size_t end = 0;
    TRY_VOID(check_records(end));
    for (unsigned hop = 0; hop <= kMaxChain; ++hop) {
      bool alias = false;
      TRY_VOID(pass(type, alias));
      if (x_out.count != 0 || !alias) break;
    }
    if (x_out.count != 0) {
      x_out.status = DnsStatus::ok;
      return {};
    }
    x_reader.go(end);
    return read_negative();
  }

 private:
  Result<void> read_head(std::string_view name, DnsType type) noexcept {
    if (!x_reader.has(kHeaderSize)) return kBad;
    x_reader.skip(2);
    const std::uint16_t flags = x_reader.u16();
    const std::uint16_t questions = x_reader.u16();
    x_answers = x_reader.u16();
    x_authorities = x_reader.u16();
    x_reader.skip(2);
    if ((flags & 0x8000U) == 0) return {Errc::syntax, "not a DNS response"};
    if (questions != 1) return {Errc::syntax, "not exactly one question"};
    if (x_answers + x_authorities > kMaxRecords) return {Errc::too_many, "too many DNS records"};
    x_out.truncated = (flags & 0x0200U) != 0;
    x_rcode = flags & 0xFU;
    bool odd = false;
    if (!x_reader.name(x_owner, odd) || !x_reader.has(4)) return kBad;
    DnsName asked;
    if (!asked.assign(name) || asked.view() != x_owner.view())
      return {Errc::syntax, "answer to another name"};
    const bool same = x_reader.u16() == static_cast<std::uint16_t>(type) && x_reader.u16() == 1;
    if (!same) return {Errc::syntax, "answer to another question"};
    x_first = x_reader.at();
    return {};
  }

  /// The whole answer section must be well-formed before anything of it is believed.
  Result<void> check_records(std::size_t& end) noexcept {
    Record record;
    for (unsigned i = 0; i < x_answers; ++i) {
      if (!x_reader.skip_name() || !read_record(x_reader, record)) return kBad;
    }
    end = x_reader.at();
    return {};
  }

  /// Takes the records of x_owner; `alias`: there was a CNAME instead, and x_owner is now its target.
  Result<void> pass(DnsType type, bool& alias) noexcept {
    x_reader.go(x_first);
    DnsName target;
    target.size = 0;
    std::uint32_t target_ttl = 0;
    for (unsigned i = 0; i < x_answers; ++i) {
      DnsName owner;
      bool odd = false;
      Record record;
      if (!x_reader.name(owner, odd) || !read_record(x_reader, record)) return kBad;
      if (odd || record.dns_class != 1 || owner.view() != x_owner.view()) continue;
      const std::size_t next = x_reader.at();
      x_reader.go(record.data);
      if (record.type == static_cast<std::uint16_t>(type)) {
        TRY_VOID(take(type, record));
      } else if (record.type == static_cast<std::uint16_t>(DnsType::cname) && target.size == 0) {
        if (!x_reader.name(target, odd) || x_reader.at() != next) return kBad;
        target_ttl = record.ttl;
      }
      x_reader.go(next);
    }
    if (x_out.count != 0 || target.size == 0) return {};
    alias = true;
    note_ttl(target_ttl);
    x_owner = target;
    return {};
  }

  void note_ttl(std::uint32_t ttl) noexcept {
    if (!x_has_ttl || ttl < x_out.ttl) x_out.ttl = ttl;
    x_has_ttl = true;
  }

  Result<void> take(DnsType type, const Record& record) noexcept {
    switch (type) {
      case DnsType::a:
      case DnsType::aaaa:
        return take_address(type, record);
      case DnsType::srv:
        return take_srv(record);
      case DnsType::ptr: {
        DnsName name;
        bool odd = false;
        if (!x_reader.name(name, odd) || x_reader.at() != record.data + record.size) return kBad;
        if (odd || name.size == 0 || x_out.count != 0) return {};
        x_out.name = name;
        x_out.count = 1;
        note_ttl(record.ttl);
        return {};
      }
      default:
        return {Errc::unsupported, "record type is not read"};
    }
  }

  Result<void> take_address(DnsType type, const Record& record) noexcept {
    const bool v4 = type == DnsType::a;
    if (record.size != (v4 ? 4U : 16U)) return kBad;
    if (x_out.count == DnsAnswer::kMax) return {};
    IpAddress& ip = x_out.addresses[x_out.count++];
    ip = {};
    x_reader.copy(ip.bytes.data(), record.size);
    ip.family = v4 ? IpAddress::Family::v4 : IpAddress::Family::v6;
    note_ttl(record.ttl);
    return {};
  }

  /// Keeps the records sorted by priority; the last one gives way when there are too many.
  Result<void> take_srv(const Record& record) noexcept {
    if (record.size < 7) return kBad;
    SrvRecord srv;
    srv.priority = x_reader.u16();
    srv.weight = x_reader.u16();
    srv.port = x_reader.u16();
    bool odd = false;
    if (!x_reader.name(srv.target, odd) || x_reader.at() != record.data + record.size) return kBad;
    if (odd) return {};
    unsigned at = 0;
    while (at < x_out.count && x_out.srv[at].priority <= srv.priority) ++at;
    if (at == DnsAnswer::kMax) return {};
    if (x_out.count < DnsAnswer::kMax) ++x_out.count;
    for (unsigned i = x_out.count - 1U; i > at; --i) x_out.srv[i] = x_out.srv[i - 1];
    x_out.srv[at] = srv;
    note_ttl(record.ttl);
    return {};
  }

  Result<void> read_negative() noexcept {
    x_out.ttl = 0;
    if (x_rcode != 0 && x_rcode != 3) {
      x_out.status = DnsStatus::failure;
      return {};
    }
    x_out.status = x_rcode == 3 ? DnsStatus::no_name : DnsStatus::no_data;
    for (unsigned i = 0; i < x_authorities; ++i) {
      Record record;
      if (!x_reader.skip_name() || !read_record(x_reader, record)) return kBad;
      if (record.type != static_cast<std::uint16_t>(DnsType::soa) || record.dns_class != 1) continue;
      x_reader.go(record.data);
      if (!x_reader.skip_name() || !x_reader.skip_name()) return kBad;
      if (x_reader.at() + 20 != record.data + record.size) return kBad;
      x_reader.skip(16);
      const std::uint32_t minimum = x_reader.u32();
      x_out.ttl = std::min(record.ttl, minimum);
      break;
    }
    return {};
  }

  Reader x_reader;
  DnsAnswer& x_out;
  DnsName x_owner;
  unsigned x_answers = 0;
  unsigned x_authorities = 0;
  unsigned x_rcode = 0;
  std::size_t x_first = 0;
  bool x_has_ttl = false;
};

}  // namespace

std::string_view to_string(DnsType type) noexcept {
  switch (type) {
    case DnsType::a:
      return "A";
    case DnsType::cname:
      return "CNAME";
    case DnsType::soa:
      return "SOA";
    case DnsType::ptr:
      return "PTR";
    case DnsType::aaaa:
      return "AAAA";
    case DnsType::srv:
      return "SRV";
    case DnsType::none:
      break;
  }
  return "?";
}

bool DnsName::assign(std::string_view text) noexcept {
  size = 0;
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.size() > kMax) return false;
  std::size_t label = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      if (label == 0) return false;
      label = 0;
    } else if (!is_name_char(text[i]) || ++label > 63) {
      return false;
    }
    chars[i] = to_lower(text[i]);
  }
  if (label == 0) return false;
  size = static_cast<std::uint8_t>(text.size());
  return true;
}

Result<void> parse_dns_answer(std::string_view message, std::string_view name, DnsType type,
                              DnsAnswer& out) noexcept {
  out.clear(type, DnsStatus::failure);
  auto result = AnswerReader(message, out).read(name, type);
  if (!result) out.clear(type, DnsStatus::failure);
  return result;
}

DnsName reverse_name(const IpAddress& ip) noexcept {
  DnsName name;
  char* out = name.chars.data();
  const auto put = [&out](std::string_view text) {
    std::memcpy(out, text.data(), text.size());
    out += text.size();
  };
  if (ip.is_v4()) {
    for (std::size_t i = 4; i-- > 0;) {
      out += print_u64(out, ip.bytes[i]);
      *out++ = '.';
    }
    put("in-addr.arpa");
  } else if (ip.is_v6()) {
    for (std::size_t i = 16; i-- > 0;) {
      print_hex(out, ip.bytes[i] & 0xFU, 1);
      out[1] = '.';
      print_hex(out + 2, ip.bytes[i] >> 4, 1);
      out[3] = '.';
      out += 4;
    }
    put("ip6.arpa");
  }
  name.size = static_cast<std::uint8_t>(out - name.chars.data());
  return name;
}

}  // namespace ser::net
