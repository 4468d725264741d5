// SPDX-License-Identifier: Apache-2.0
// Regular expressions: PCRE2, compiled at load, matched under a limit.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

namespace ser::mod {

/// A worker's scratch for matching: match data and limits. Made after the fork, one per worker.
class Matcher {
 public:
  Matcher();
  ~Matcher();
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;
  static constexpr std::uint32_t kMatchLimit = 10'000;
  static constexpr std::uint32_t kMaxGroups = 32;

 private:
  friend class Regex;
  pcre2_real_match_data_8* x_data;
  pcre2_real_match_context_8* x_context;
};

/// Offsets of a capture in the subject; begin == SIZE_MAX: the group took no part.
struct Capture {
  std::size_t begin = SIZE_MAX;
  std::size_t end = SIZE_MAX;
};

/// Immutable after compile(); shared by all workers (a forked copy in processes).
class Regex {
 public:
  struct Options {
    bool ignore_case = true;  ///< as everywhere in the family
    bool multi_line = true;  ///< ^ and $ also at line ends, as POSIX REG_NEWLINE of textops; `=~` sets it off
    bool dot_all = false;
  };
  /// nullptr and `error` ("… at offset N") when the pattern is bad. JIT where the kernel allows it.
  static std::unique_ptr<Regex> compile(std::string_view pattern, Options options, std::string& error);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  enum class Verdict : std::uint8_t { match, no_match, limit };
  /// Searches `subject` from `start`; fills `captures` (group 0 first), as many as fit.
  Verdict match(Matcher& matcher, std::string_view subject, std::size_t start = 0,
                std::span<Capture> captures = {}) const noexcept;
  const std::string& pattern() const noexcept { return x_pattern; }

 private:
  Regex(pcre2_real_code_8* code, std::string pattern) : x_code(code), x_pattern(std::move(pattern)) {}
  pcre2_real_code_8* x_code;
  std::string x_pattern;
};

}  // namespace ser::mod
