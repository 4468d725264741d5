// SPDX-License-Identifier: Apache-2.0
// `#!subst` by PCRE2, with bounds on matching effort and on the size of the result.
#include "script/substitution.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include "base/text.h"

namespace ser::script {
namespace {
constexpr std::uint32_t kMatchLimit = 10000;
constexpr std::size_t kMaxResult = 64U << 10;

PCRE2_SPTR bytes(std::string_view text) noexcept {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}
}  // namespace

struct Substitution::Code {
  pcre2_code* code = nullptr;
  pcre2_match_data* match = nullptr;
  pcre2_match_context* context = nullptr;

  Code() = default;
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() {
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
  }
};

Substitution::Substitution() noexcept = default;
Substitution::~Substitution() = default;
Substitution::Substitution(Substitution&&) noexcept = default;
Substitution& Substitution::operator=(Substitution&&) noexcept = default;

bool Substitution::compile(std::string_view text, std::string& problem) {
  if (text.size() < 3) {
    problem = "a substitution is written `/expression/replacement/flags`";
    return false;
  }
  const char delimiter = text[0];
  std::string* const parts[2] = {&x_pattern, &x_replacement};
  std::size_t at = 1;
  for (std::string* part : parts) {
    for (; at < text.size() && text[at] != delimiter; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) {
        if (text[at + 1] != delimiter) *part += '\\';
        ++at;
      }
      *part += text[at];
    }
    if (at >= text.size()) {
      problem = fmt::format("the delimiter `{}` stands three times in a substitution", delimiter);
      return false;
    }
    ++at;
  }
  std::uint32_t options = 0;
  for (const char flag : text.substr(at)) {
    switch (flag) {
      case 'i':
        options |= PCRE2_CASELESS;
        break;
      case 's':
        options |= PCRE2_DOTALL;
        break;
      case 'g':
        x_all = true;
        break;
      default:
        problem = fmt::format("unknown flag `{}` of a substitution", flag);
        return false;
    }
  }
  int code = 0;
  PCRE2_SIZE offset = 0;
  x_code = std::make_unique<Code>();
  x_code->code = pcre2_compile(bytes(x_pattern), x_pattern.size(), options, &code, &offset, nullptr);
  if (x_code->code == nullptr) {
    PCRE2_UCHAR message[128] = {};
    pcre2_get_error_message(code, message, sizeof message);
    problem = fmt::format("bad regular expression: {} at offset {}", reinterpret_cast<const char*>(message),
                          offset);
    return false;
  }
  x_code->match = pcre2_match_data_create_from_pattern(x_code->code, nullptr);
  x_code->context = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(x_code->context, kMatchLimit);
  return true;
}

bool Substitution::apply(std::string& text) const {
  std::string out;
  std::size_t at = 0;
  bool found = false;
  while (at <= text.size()) {
    const int groups = pcre2_match(x_code->code, bytes(text), text.size(), at,
                                   found ? PCRE2_NOTEMPTY_ATSTART : 0, x_code->match, x_code->context);
    if (groups < 1) break;
    found = true;
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(x_code->match);
    if (ends[0] < at || ends[1] < ends[0]) break;  // \K may turn a match around
    out.append(text, at, ends[0] - at);
    for (std::size_t i = 0; i < x_replacement.size(); ++i) {
      const char c = x_replacement[i];
      if (c != '\\' || i + 1 == x_replacement.size() || !is_digit(x_replacement[i + 1])) {
        out += c;
        continue;
      }
      const int group = x_replacement[++i] - '0';
      if (group < groups && ends[2 * group] != PCRE2_UNSET) {
        out.append(text, ends[2 * group], ends[2 * group + 1] - ends[2 * group]);
      }
    }
    if (out.size() > kMaxResult) return false;
    at = ends[1];
    if (!x_all) break;
  }
  if (!found || at > text.size()) return false;
  out.append(text, at);
  if (out.size() > kMaxResult) return false;
  text = std::move(out);
  return true;
}

}  // namespace ser::script
