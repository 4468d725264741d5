// SPDX-License-Identifier: Apache-2.0
#include "flow/message_text.h"

#include "base/text.h"
#include "sip/header_id.h"

namespace ser::flow {

namespace {

/// Calls `each` with the pieces of `text` between `separator`s outside of quotes and angle brackets.
template <class F>
void split_outside(std::string_view text, char separator, F&& each) {
  std::size_t begin = 0;
  bool quoted = false;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else
        quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '<' || c == '>') {
      depth += c == '<' ? 1 : -1;
    } else if (c == separator && depth <= 0) {
      each(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  each(text.substr(begin));
}

}  // namespace

bool same_header(std::string_view a, std::string_view b) noexcept {
  const sip::HeaderId id = sip::header_id(a);
  return iequals(a, b) || (id != sip::HeaderId::other && id == sip::header_id(b));
}

std::string param_of(std::string_view value, std::string_view name) {
  std::string found;
  bool first = true;
  split_outside(value, ';', [&](std::string_view piece) {
    if (std::exchange(first, false)) return;
    const std::size_t equals = piece.find('=');
    if (equals != std::string_view::npos && iequals(trim(piece.substr(0, equals)), name))
      found = trim(piece.substr(equals + 1));
  });
  return found;
}

std::string uri_of(std::string_view value) {
  const std::size_t open = value.find('<');
  if (open != std::string_view::npos) {
    const std::size_t close = value.find('>', open);
    return std::string(value.substr(open + 1, close == std::string_view::npos ? close : close - open - 1));
  }
  return std::string(trim(value.substr(0, value.find(';'))));
}

MessageText MessageText::parse(std::string_view bytes) {
  MessageText out;
  bool first = true;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (std::exchange(first, false)) {
      out.first_line = line;
    } else if (line.empty()) {
      break;
    } else if (is_space(line[0]) && !out.fields.empty()) {
      out.fields.back().value += ' ';
      out.fields.back().value += trim(line);
    } else {
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos)
        out.fields.push_back({"", std::string(line)});
      else
        out.fields.push_back(
            {std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
    }
  }
  out.body = bytes;
  return out;
}

std::string MessageText::bytes() const {
  std::string out = first_line + "\r\n";
  for (const Field& field : fields)
    out += field.name.empty() ? field.value + "\r\n" : field.name + ": " + field.value + "\r\n";
  return out + "\r\n" + body;
}

unsigned MessageText::status() const {
  return is_response() ? parse_u32(std::string_view(first_line).substr(8, 3)).value_or(0) : 0;
}

std::string MessageText::reason() const {
  return first_line.size() > 12 && is_response() ? first_line.substr(12) : std::string();
}

std::string MessageText::cseq_method() const {
  const std::string text = value("CSeq");
  const std::size_t blank = text.find_last_of(" \t");
  return blank == std::string::npos ? std::string() : text.substr(blank + 1);
}

unsigned long MessageText::cseq() const {
  const std::string text = value("CSeq");
  return parse_u32(std::string_view(text).substr(0, text.find_first_of(" \t"))).value_or(0);
}

std::string MessageText::method() const {
  return is_response() ? cseq_method() : first_line.substr(0, first_line.find(' '));
}

std::string MessageText::request_uri() const {
  if (is_response()) return {};
  const std::size_t begin = first_line.find(' ');
  if (begin == std::string::npos) return {};
  return first_line.substr(begin + 1, first_line.rfind(' ') - begin - 1);
}

const std::string* MessageText::find(std::string_view name, std::size_t nth) const {
  for (const Field& field : fields) {
    if (same_header(field.name, name) && nth-- == 0) return &field.value;
  }
  return nullptr;
}

std::size_t MessageText::count(std::string_view name) const {
  std::size_t n = 0;
  for (const Field& field : fields) n += same_header(field.name, name) ? 1 : 0;
  return n;
}

std::vector<std::string> MessageText::list(std::string_view name) const {
  std::vector<std::string> out;
  for (const Field& field : fields) {
    if (!same_header(field.name, name)) continue;
    split_outside(field.value, ',', [&](std::string_view piece) { out.emplace_back(trim(piece)); });
  }
  return out;
}

}  // namespace ser::flow
