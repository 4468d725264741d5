// SPDX-License-Identifier: Apache-2.0
// The message library used alone: reads one SIP message from a file, prints its parts, and writes what a
// proxy would send on.
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/text.h"
#include "sip/edit.h"
#include "sip/message.h"
#include "sip/sanity.h"
#include "sip/uri.h"
#include "sip/writer.h"

namespace {

using ser::Result;
namespace sip = ser::sip;

void print(const char* what, std::string_view text) {
  std::printf("%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
}

void print_parts(const sip::Message& message) {
  print("Start line", message.start().line);
  if (message.is_request()) {
    if (const auto uri = sip::parse_uri(message.start().uri)) {
      print("Request-URI user", uri->user);
      print("Request-URI host", uri->host);
    }
  }
  // Nothing but the first Via is read for this.
  if (const auto via = message.via(0)) {
    print("Top Via sent-by", (*via)->sent_by);
    print("Top Via branch", (*via)->branch);
  }
  if (const auto from = message.get<sip::hdr::From>()) {
    print("From URI", (*from)->uri);
    print("From tag", (*from)->tag);
  }
  for (const sip::HeaderField* f = message.next_field(nullptr); f != nullptr; f = message.next_field(f)) {
    print("Field", f->name());
  }
  std::printf("Body: %zu bytes\n", message.body().size());
}

/// The edits of a stateless proxy: one more Via, one hop less.
Result<void> forward_edits(const sip::Message& message, sip::EditList& edits) {
  if (const sip::HeaderField* top = message.find(sip::HeaderId::via)) {
    TRY_VOID(edits.insert_before(*top, "Via: SIP/2.0/UDP proxy.example.com;branch=z9hG4bKexample\r\n"));
  }
  const sip::HeaderField* hops = message.find(sip::HeaderId::max_forwards);
  if (hops == nullptr) return edits.append_field("Max-Forwards", "70");
  TRY(const auto* number, message.get<sip::hdr::MaxForwards>(*hops));
  if (number->value == 0) return {ser::Errc::refused, "Max-Forwards is 0"};
  std::array<char, 20> digits{};
  const std::size_t size = ser::print_u64(digits.data(), number->value - 1);
  return edits.replace(hops->value(), {digits.data(), size});
}

int fail(const char* what, const ser::Error& error) {
  std::fprintf(stderr, "%s: %s at offset %u\n", what, error.what, error.offset);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FILE\n", argv[0]);
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  // A std::string keeps a NUL behind its bytes, as Message::parse() wants.
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};

  ser::HeapChunks heap;
  alignas(16) std::array<char, 4096> block{};
  ser::Arena arena(block.data(), block.size(), heap);
  const auto parsed = sip::Message::parse(bytes, arena);
  if (!parsed) return fail("not a SIP message", parsed.error());
  const sip::Message& message = **parsed;
  print_parts(message);

  if (const auto failure =
          message.is_request() ? sip::check_request(message) : sip::check_response(message)) {
    print("A proxy would reject it", failure->reason);
  }
  sip::EditList edits(arena, message);
  if (const auto edited = forward_edits(message, edits); !edited)
    return fail("cannot be forwarded", edited.error());
  std::string out(sip::written_size(message, &edits, {}), '\0');
  const auto size = sip::write(message, &edits, {}, out);
  if (!size) return fail("cannot be written", size.error());
  std::printf("--- forwarded, %zu bytes\n", *size);
  std::fwrite(out.data(), 1, *size, stdout);
  return 0;
}
