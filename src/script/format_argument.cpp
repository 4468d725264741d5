// SPDX-License-Identifier: Apache-2.0
#include "script/format_argument.h"

#include "script/values.h"
#include "sip/output.h"

namespace ser::script {

namespace {

/// A copy of the pieces: literals and variables belong to the program, which also owns this argument.
class ArgumentFormat final : public mod::Format {
 public:
  explicit ArgumentFormat(script::Format format) : x_format(std::move(format)) {}

  std::string_view evaluate(proxy::Run& run) const override {
    std::string_view text("");
    for (const FormatPiece& piece : x_format) {
      const std::string_view part = piece_text(piece, run);
      auto* joined = static_cast<char*>(run.arena().allocate(text.size() + part.size() + 1, 1));
      if (joined == nullptr) return text;
      sip::Output out({joined, text.size() + part.size()});
      out.put(text);
      out.put(part);
      text = {joined, out.size()};
    }
    return text;
  }

 private:
  static std::string_view piece_text(const FormatPiece& piece, proxy::Run& run) {
    if (piece.variable == nullptr) return piece.literal;
    const proxy::Value value = piece.variable->read(run);
    if (!value.is_null()) return text_of(value, run.arena());
    // A transformation of nothing is nothing; the variable itself is told apart from an empty text.
    return piece.variable->transforms.empty() ? std::string_view("<null>") : std::string_view("");
  }

  script::Format x_format;
};

}  // namespace

std::unique_ptr<mod::Format> FormatArguments::compile(std::string_view text, std::string& /*error*/) {
  const auto index = x_compiler.compile_format(text, x_range);
  if (!index) {
    x_reported = true;
    return nullptr;
  }
  return std::make_unique<ArgumentFormat>(x_compiler.program().formats[*index]);
}

}  // namespace ser::script
