// SPDX-License-Identifier: Apache-2.0
// The choice between the two languages by the marks of DESIGN 2.15.
#include "script/dialect.h"

#include "base/text.h"

namespace ser::script {
namespace {

constexpr bool is_word_char(char c) noexcept {
  return is_alnum(c) || c == '_';
}

/// What a scan outside of comments and strings has met; null: not met.
struct Marks {
  bool route_block = false;
  const char* kamailio = nullptr;
};

/// Position behind the string that begins at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at) {
    if (text[at] == '\\' && quote == '"') ++at;
  }
  return at + 1;
}

/// Position behind the comment that begins at `at`. Comments nest.
std::size_t skip_comment(std::string_view text, std::size_t at) noexcept {
  unsigned depth = 0;
  while (at < text.size()) {
    const std::string_view two = text.substr(at, 2);
    if (two == "/*") {
      ++depth;
    } else if (two == "*/") {
      --depth;
    } else {
      ++at;
      continue;
    }
    at += 2;
    if (depth == 0) break;
  }
  return at;
}

bool is_preprocessor_word(std::string_view word) noexcept {
  return word.starts_with("if") || word.starts_with("def") || word.starts_with("trydef") ||
         word.starts_with("redef") || word.starts_with("subst") || word == "else" || word == "endif" ||
         word == "include_file" || word == "import_file";
}

std::string_view word_at(std::string_view text, std::size_t at) noexcept {
  std::size_t end = at;
  while (end < text.size() && is_word_char(text[end])) ++end;
  return text.substr(at, end - at);
}

void note_word(std::string_view text, std::size_t at, std::string_view word, Marks& marks) noexcept {
  if (word == "request_route") marks.kamailio = "it has a `request_route`";
  if (word == "event_route") marks.kamailio = "it has an `event_route`";
  if (word != "route") return;
  at += word.size();
  while (at < text.size() && (is_lws(text[at]) || text[at] == '\v')) ++at;
  // `route[0]` is `route` as well; any `route[…]{` marks a script, but not its dialect.
  if (at < text.size() && text[at] == '{') marks.route_block = true;
}

Marks scan(std::string_view text) noexcept {
  Marks marks;
  for (std::size_t at = 0; at < text.size() && marks.kamailio == nullptr;) {
    const char c = text[at];
    if (c == '#') {
      if (at + 1 < text.size() && text[at + 1] == '!' && is_preprocessor_word(word_at(text, at + 2))) {
        marks.kamailio = "it has a `#!` directive";
      }
      at = std::min(text.find('\n', at), text.size());
    } else if (c == '/' && text.substr(at).starts_with("/*")) {
      at = skip_comment(text, at);
    } else if (c == '"' || c == '\'') {
      at = skip_string(text, at);
    } else if (c == '$') {
      marks.kamailio = "it has a `$` variable";
    } else if (is_word_char(c)) {
      const std::string_view word = word_at(text, at);
      note_word(text, at, word, marks);
      at += word.size();
    } else {
      ++at;
    }
  }
  return marks;
}

}  // namespace

std::string_view to_string(Dialect dialect) noexcept {
  return dialect == Dialect::ser ? "SER" : "Kamailio";
}

std::optional<Dialect> dialect_from_name(std::string_view name) noexcept {
  if (iequals(name, "ser")) return Dialect::ser;
  for (const std::string_view one : {"kamailio", "openser", "opensips", "all", "maxcompat"}) {
    if (iequals(name, one)) return Dialect::kamailio;
  }
  return std::nullopt;
}

DialectChoice choose_dialect(std::string_view text, std::optional<Dialect> forced) {
  if (forced) return {*forced, "--dialect says so"};
  const std::string_view line = trim(text.substr(0, text.find('\n')));
  if (line.starts_with("#!") || line.starts_with("!!")) {
    const std::string_view mark = word_at(line, 2);
    if (const auto dialect = dialect_from_name(mark)) {
      return {*dialect, "its first line is `" + std::string(line.substr(0, 2 + mark.size())) + "`"};
    }
  }
  const Marks marks = scan(text);
  if (marks.kamailio != nullptr) return {Dialect::kamailio, marks.kamailio};
  if (marks.route_block) {
    return {Dialect::ser,
            "it has `route{` and no `#!` directive, `request_route`, `$` variable or `event_route`"};
  }
  return {Dialect::kamailio, "it has no `route{`"};
}

}  // namespace ser::script
