// SPDX-License-Identifier: Apache-2.0
#define PCRE2_CODE_UNIT_WIDTH 8
#include "mod/regex.h"

#include <pcre2.h>

#include <algorithm>
#include <array>

#include "mod/argument.h"

namespace ser::mod {

Matcher::Matcher()
    : x_data(pcre2_match_data_create_8(kMaxGroups, nullptr)),
      x_context(pcre2_match_context_create_8(nullptr)) {
  pcre2_set_match_limit_8(x_context, kMatchLimit);
  // Heap in KiB and depth follow from the match limit; without bounds of their own a pattern could still eat
  // memory.
  pcre2_set_heap_limit_8(x_context, 1024);
}

Matcher::~Matcher() {
  pcre2_match_data_free_8(x_data);
  pcre2_match_context_free_8(x_context);
}

std::unique_ptr<Regex> Regex::compile(std::string_view pattern, Options options, std::string& error) {
  std::uint32_t flags = PCRE2_NEVER_UTF | PCRE2_DOLLAR_ENDONLY;
  if (options.ignore_case) flags |= PCRE2_CASELESS;
  if (options.multi_line) flags |= PCRE2_MULTILINE;
  if (options.dot_all) flags |= PCRE2_DOTALL;
  int code = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code_8* compiled = pcre2_compile_8(reinterpret_cast<PCRE2_SPTR8>(pattern.data()), pattern.size(),
                                           flags, &code, &offset, nullptr);
  if (compiled == nullptr) {
    std::array<char, 160> text{};
    pcre2_get_error_message_8(code, reinterpret_cast<PCRE2_UCHAR8*>(text.data()), text.size());
    error = std::string(text.data()) + " at offset " + std::to_string(offset);
    return nullptr;
  }
  // Where the kernel forbids writable code (MemoryDenyWriteExecute) this fails and the interpreter is used.
  static_cast<void>(pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE));
  return std::unique_ptr<Regex>(new Regex(compiled, std::string(pattern)));
}

Regex::~Regex() {
  pcre2_code_free_8(x_code);
}

Regex::Verdict Regex::match(Matcher& matcher, std::string_view subject, std::size_t start,
                            std::span<Capture> captures) const noexcept {
  const char* text = subject.data() != nullptr ? subject.data() : "";
  const int found = pcre2_match_8(x_code, reinterpret_cast<PCRE2_SPTR8>(text), subject.size(), start, 0,
                                  matcher.x_data, matcher.x_context);
  if (found == PCRE2_ERROR_NOMATCH) return Verdict::no_match;
  if (found < 0) return Verdict::limit;
  const PCRE2_SIZE* vector = pcre2_get_ovector_pointer_8(matcher.x_data);
  // 0: more groups than the match data holds; all of those are filled.
  const auto groups = found == 0 ? Matcher::kMaxGroups : static_cast<std::uint32_t>(found);
  for (std::size_t i = 0; i < captures.size(); ++i) {
    captures[i] =
        i < groups && vector[2 * i] != PCRE2_UNSET ? Capture{vector[2 * i], vector[2 * i + 1]} : Capture{};
  }
  return Verdict::match;
}

std::unique_ptr<SearchRegex> SearchRegex::compile(std::string_view text, std::string& error) {
  auto regex = Regex::compile(text, {}, error);
  if (regex == nullptr) return nullptr;
  auto made = std::make_unique<SearchRegex>();
  made->regex = std::move(regex);
  return made;
}

}  // namespace ser::mod
