// SPDX-License-Identifier: Apache-2.0
#include "modules/textops/textops.h"

#include "modules/textops/textops_module.h"

namespace ser::modules {

std::string_view after_start_line(const sip::Message& message) noexcept {
  const std::string_view bytes = message.bytes();
  return bytes.substr(std::min(bytes.size(), bytes.find('\n') + 1));
}

std::string_view header_area(const sip::Message& message) noexcept {
  const std::string_view rest = after_start_line(message);
  const auto start = static_cast<std::size_t>(rest.data() - message.bytes().data());
  return rest.substr(0, message.header_end_offset() - start);
}

mod::ModuleSpec describe_textops() {
  mod::SpecBuilder<Textops> builder(
      "textops",
      "Looks for text in messages and changes header fields, body and Request-URI. Searches see the message "
      "as received, "
      "or as `msg_apply_changes()` left it; changes are made when it leaves. Regular expressions are PCRE, "
      "without "
      "regard to case, `^` and `$` match at line ends, and a match that takes too long is none.");
  builder.also_known_as({"textopsx"});
  describe_search(builder);
  describe_headers(builder);
  describe_body(builder);
  builder.hardened(
      "yes; matching has a step limit, and what a change would put into a header is checked for line ends.");
  return builder.done();
}

}  // namespace ser::modules
