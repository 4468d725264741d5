// SPDX-License-Identifier: Apache-2.0
#include "load/template.h"

#include <cstring>

namespace ser::bench {
namespace {

constexpr char kSequence = '\x01';
constexpr char kSlot = '\x02';
constexpr char kDecimal = '\x03';
constexpr unsigned kDecimalDigits = 9;

unsigned width(char kind) {
  return kind == kSequence ? kSequenceDigits : kind == kSlot ? kSlotDigits : kDecimalDigits;
}

void put_hex(char* out, std::uint64_t value, unsigned digits) {
  for (unsigned i = digits; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
}

void put_decimal(char* out, std::uint64_t sequence) {
  std::uint64_t value = 100000000 + sequence % 800000000;
  for (unsigned i = kDecimalDigits; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

std::string body_text(const std::string& method, const std::string& who, const std::string& sequence) {
  if (method == "MESSAGE") {
    return "Good morning. This is message number " + sequence + " of " + who +
           ".\r\nIt has an accent (\xC3\xA9), a NUL (" + std::string(1, '\0') +
           "), a bare line feed\nand a line that looks like a header field:\r\nVia: SIP/2.0/UDP "
           "192.0.2.9\r\n\r\nbye";
  }
  return session_text(who, sequence);
}

}  // namespace

std::string session_text(const std::string& who, const std::string& sequence) {
  return "v=0\r\no=" + who + " 2890844526 2890844527 IN IP4 192.0.2.21\r\ns=" + sequence +
         "\r\nc=IN IP4 192.0.2.21\r\nt=0 0\r\nm=audio 0 RTP/AVP 0 8 97 101\r\na=rtpmap:0 PCMU/8000\r\n"
         "a=rtpmap:8 PCMA/8000\r\na=rtpmap:97 iLBC/8000\r\na=rtpmap:101 telephone-event/8000\r\n";
}

std::string hex_text(std::uint32_t value) {
  char text[8];
  put_hex(text, value, sizeof text);
  return {text, sizeof text};
}

std::string Template::sequence() {
  return std::string(kSequenceDigits, kSequence);
}

std::string Template::slot() {
  return std::string(kSlotDigits, kSlot);
}

Template::Template(std::string text) : x_text(std::move(text)) {
  for (std::size_t i = 0; i < x_text.size();) {
    const char c = x_text[i];
    if (c == kSequence || c == kSlot || c == kDecimal) {
      x_fields.push_back({i, c});
      i += width(c);
    } else {
      ++i;
    }
  }
}

void Template::patch(char* out, std::uint64_t sequence) const {
  for (const Field& field : x_fields) {
    if (field.kind == kSequence) put_hex(out + field.offset, sequence, kSequenceDigits);
    if (field.kind == kDecimal) put_decimal(out + field.offset, sequence);
  }
}

void Template::write(char* out, std::uint64_t sequence, std::uint32_t slot) const {
  std::memcpy(out, x_text.data(), x_text.size());
  for (const Field& field : x_fields) {
    if (field.kind == kSlot) put_hex(out + field.offset, slot, kSlotDigits);
  }
  patch(out, sequence);
}

bool read_hex(const char* at, unsigned digits, std::uint64_t& out) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < digits; ++i) {
    const char c = at[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a' + 10);
    } else {
      return false;
    }
    value = (value << 4) | digit;
  }
  out = value;
  return true;
}

Messages make_messages(const Options& options, const Address& caller, std::uint32_t run) {
  const std::string sequence = Template::sequence();
  const std::string slot = Template::slot();
  const std::string run_text = hex_text(run);

  Messages out;
  out.sent_by = caller.text();
  out.id_prefix = "z9hG4bK-" + run_text + "-";
  const std::string from = "From: \"Alice Liddell\" <sip:alice@example.com>;tag=a" + sequence + "\r\n";
  const std::string to = "To: <sip:bob@example.org>";
  const std::string call_id = "Call-ID: " + sequence + "-" + run_text + "@client.example.com\r\n";
  const std::string cseq = "CSeq: " + std::string(kDecimalDigits, kDecimal) + " " + options.method + "\r\n";
  const std::string type = options.method == "MESSAGE" ? "text/plain" : "application/sdp";

  const std::string first = options.method + " " + options.ruri + " SIP/2.0\r\n";
  std::string text = first;
  out.request_line_size = text.size();
  out.expected_request_line = options.method + " " + options.expected_ruri + " SIP/2.0\r\n";
  text += "Via: SIP/2.0/UDP " + out.sent_by + ";branch=" + out.id_prefix + slot + "-" + sequence + "\r\n";
  text += "Max-Forwards: " + std::to_string(kMaxForwards) + "\r\n";
  out.rest_offset = text.size();
  text += from + to + "\r\n" + call_id + cseq;
  text += "Contact: <sip:alice@" + out.sent_by + ";transport=udp>;expires=3600\r\n";
  text += "User-Agent: SomePhone 7821/12.5.1SR3 (build 4711)\r\n";
  text += "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, SUBSCRIBE, MESSAGE, UPDATE\r\n";
  text += "Supported: replaces, timer, path, 100rel\r\n";
  text += "Accept: application/sdp, text/plain\r\n";
  std::string body = body_text(options.method, "alice", sequence);
  text += "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  out.request = Template(std::move(text));

  body = body_text(options.method, "bob", sequence);
  std::string tail = from + to + ";tag=b" + sequence + "\r\n" + call_id + cseq;
  tail += "Contact: <sip:bob@192.0.2.21:5062>\r\nServer: SomeGateway 3.2\r\n";
  tail += "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE\r\nSupported: replaces, timer\r\n";
  tail += "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  out.reply_tail = Template(std::move(tail));
  return out;
}

}  // namespace ser::bench
