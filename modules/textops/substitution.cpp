// SPDX-License-Identifier: Apache-2.0
#include "modules/textops/substitution.h"

#include <cstring>

#include "base/text.h"

namespace ser::modules {

namespace {

/// Position of the next `delimiter` that no backslash stands before.
std::size_t find_delimiter(std::string_view text, char delimiter, std::size_t from) noexcept {
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == delimiter) {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::unique_ptr<Substitution> Substitution::compile(std::string_view text, std::string& error) {
  return build(text, error, nullptr);
}

std::unique_ptr<Substitution> Substitution::compile(std::string_view text, std::string& error,
                                                    mod::FormatCompiler& formats) {
  return build(text, error, &formats);
}

std::unique_ptr<Substitution> Substitution::build(std::string_view text, std::string& error,
                                                  mod::FormatCompiler* formats) {
  if (text.size() < 3) {
    error = "not of the form /re/replacement/flags";
    return nullptr;
  }
  const char delimiter = text.front();
  const std::size_t middle = find_delimiter(text, delimiter, 1);
  const std::size_t end =
      middle == std::string_view::npos ? middle : find_delimiter(text, delimiter, middle + 1);
  if (end == std::string_view::npos || middle == 1) {
    error = "not of the form /re/replacement/flags";
    return nullptr;
  }
  auto made = std::make_unique<Substitution>();
  mod::Regex::Options options;
  options.ignore_case = false;
  for (const char flag : text.substr(end + 1)) {
    if (flag == 'i') {
      options.ignore_case = true;
    } else if (flag == 'g') {
      made->x_all = true;
    } else if (flag == 's') {
      options.dot_all = true;
      options.multi_line = false;
    } else {
      error = std::string("unknown flag '") + flag + "', there are i, g and s";
      return nullptr;
    }
  }
  made->x_regex = mod::Regex::compile(text.substr(1, middle - 1), options, error);
  if (made->x_regex == nullptr) return nullptr;
  return made->add_replacement(text.substr(middle + 1, end - middle - 1), delimiter, error, formats)
             ? std::move(made)
             : nullptr;
}

bool Substitution::add_literal(std::string& literal, std::string& error, mod::FormatCompiler* formats) {
  if (literal.empty()) return true;
  Piece piece;
  if (formats != nullptr && literal.find('$') != std::string::npos) {
    piece.kind = Piece::Kind::format;
    piece.format = formats->compile(literal, error);
    if (piece.format == nullptr) return false;
  } else {
    piece.literal = literal;
  }
  x_pieces.push_back(std::move(piece));
  literal.clear();
  return true;
}

bool Substitution::add_replacement(std::string_view text, char delimiter, std::string& error,
                                   mod::FormatCompiler* formats) {
  std::string literal;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      literal += text[i];
      continue;
    }
    const char c = text[++i];
    if (is_digit(c) || c == 'u') {
      if (!add_literal(literal, error, formats)) return false;
      Piece piece;
      piece.kind = c == 'u' ? Piece::Kind::uri : Piece::Kind::group;
      piece.group = c == 'u' ? std::uint8_t{0} : static_cast<std::uint8_t>(c - '0');
      x_pieces.push_back(std::move(piece));
    } else if (c == 'n') {
      literal += '\n';
    } else if (c == 'r') {
      literal += '\r';
    } else if (c == 't') {
      literal += '\t';
    } else {
      if (c != '\\' && c != delimiter) literal += '\\';
      literal += c;
    }
  }
  return add_literal(literal, error, formats);
}

std::string_view Substitution::expand(proxy::Run& run, std::string_view subject,
                                      std::span<const mod::Capture> captures) const {
  auto* parts = run.arena().make_array<std::string_view>(x_pieces.size() + 1);
  if (parts == nullptr) return {};
  std::size_t size = 0;
  for (std::size_t i = 0; i < x_pieces.size(); ++i) {
    const Piece& piece = x_pieces[i];
    if (piece.kind == Piece::Kind::literal) {
      parts[i] = piece.literal;
    } else if (piece.kind == Piece::Kind::uri) {
      parts[i] = run.uri();
    } else if (piece.kind == Piece::Kind::format) {
      parts[i] = piece.format->evaluate(run);
    } else if (const mod::Capture& group = captures[piece.group]; group.begin != SIZE_MAX) {
      parts[i] = subject.substr(group.begin, group.end - group.begin);
    }
    size += parts[i].size();
  }
  auto* text = static_cast<char*>(run.arena().allocate(size + 1, 1));
  if (text == nullptr) return {};
  char* at = text;
  for (std::size_t i = 0; i < x_pieces.size(); ++i) {
    if (!parts[i].empty()) std::memcpy(at, parts[i].data(), parts[i].size());
    at += parts[i].size();
  }
  return {text, size};
}

}  // namespace ser::modules
