// SPDX-License-Identifier: Apache-2.0
#include "flow/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "sip/header_id.h"

namespace ser::flow {

namespace {

/// What is looked at: one line of the message, or what is missing of it.
class Comparer {
 public:
  Comparer(const ReceiveStep& step, const MessageText& message, const LookUp& look_up)
      : x_step(step), x_message(message), x_look_up(look_up), x_expected(message.fields.size()) {}

  Comparison run() {
    first_line();
    if (!x_step.cseq_method.empty()) {
      FieldLine line;
      line.name = "CSeq";
      const bool good = x_message.cseq_method() == x_step.cseq_method;
      note(line, 0, "(of " + x_step.cseq_method + ")", good);
    }
    for (const FieldLine& line : x_step.block.fields) field(line);
    order();
    std::string body_expected;
    bool body_good = true;
    if (x_step.block.body) {
      body_expected = expand(*x_step.block.body);
      body_good = body_expected == x_message.body;
      if (!body_good) fail(x_step.block.body->range);
    }
    finish(body_expected, body_good);
    return std::move(x_out);
  }

 private:
  struct Expected {
    std::string text;
    bool differs = false;
  };

  std::string expand(const Text& text) {
    std::string out, unknown;
    if (substitute(text.text, x_look_up, out, unknown)) return out;
    x_out.problem = fmt::format("unknown variable `{}`", unknown);
    fail(text.range);
    return text.text;
  }
  void fail(const conf::SourceRange& range) {
    if (x_out.equal) x_out.range = range;
    x_out.equal = false;
  }

  void first_line() {
    std::string expected;
    bool good = true;
    if (!x_step.method.empty()) {
      const std::string uri = x_step.uri.text.empty() ? "" : expand(x_step.uri);
      expected = uri.empty() ? x_step.method : x_step.method + " " + uri;
      good = !x_message.is_response() && x_message.method() == x_step.method &&
             (uri.empty() || uri == x_message.request_uri());
    } else {
      const std::string reason = x_step.reason.text.empty() ? "" : expand(x_step.reason);
      expected = x_step.status_from == x_step.status_to ? std::to_string(x_step.status_from)
                                                        : fmt::format("{}xx", x_step.status_from / 100);
      if (!reason.empty()) expected += " " + reason;
      good = x_message.status() >= x_step.status_from && x_message.status() <= x_step.status_to &&
             (reason.empty() || reason == x_message.reason());
    }
    if (!good) fail({});
    x_out.rows.push_back({expected, x_message.first_line, !good});
  }

  bool pattern(const FieldLine& line, const std::string& value) {
    mod::Matcher matcher;
    mod::Capture captures[mod::Matcher::kMaxGroups];
    if (line.pattern.regex->match(matcher, value, 0, captures) != mod::Regex::Verdict::match) return false;
    for (std::size_t i = 0; i < line.pattern.groups.size() && i + 1 < std::size(captures); ++i) {
      const mod::Capture& one = captures[i + 1];
      if (!line.pattern.groups[i].empty() && one.begin != SIZE_MAX)
        x_out.saved[line.pattern.groups[i]] = value.substr(one.begin, one.end - one.begin);
    }
    return true;
  }

  /// Is `value` (nullptr: absent) what the line says? `shown` is how the wish is shown.
  bool meets(const FieldLine& line, const std::string* value, std::string& shown) {
    using How = FieldLine::How;
    switch (line.how) {
      case How::value:
        shown = expand(line.value);
        return value != nullptr && *value == shown;
      case How::pattern:
        shown = "~ " + line.value.text;
        return value != nullptr && pattern(line, *value);
      case How::contains:
        shown = fmt::format("contains \"{}\"", expand(line.value));
        return value != nullptr && value->find(expand(line.value)) != std::string::npos;
      case How::lacks:
        shown = fmt::format("lacks \"{}\"", expand(line.value));
        return value == nullptr || value->find(expand(line.value)) == std::string::npos;
      case How::present:
        shown = "(present)";
        return value != nullptr;
      case How::absent:
        shown = "(absent)";
        return value == nullptr;
      case How::save:
        shown = "-> " + line.value.text;
        if (value != nullptr) x_out.saved[line.value.text] = *value;
        return value != nullptr;
      case How::count:
        break;
    }
    return false;
  }

  void field(const FieldLine& line) {
    std::string shown;
    if (line.name == "uri" || line.name == "body") {
      const std::string own = line.name == "uri" ? x_message.request_uri() : x_message.body;
      const bool good = meets(line, own.empty() ? nullptr : &own, shown);
      if (!good) fail(line.range);
      const std::string got = line.name == "body" && own.empty() ? "(no body)"
                              : good                             ? ""
                                                                 : own.substr(0, own.find('\r'));
      x_extra.push_back({fmt::format("{}: {}", line.name, shown), got, !good});
      return;
    }
    if (line.how == FieldLine::How::count) {
      const std::size_t have = x_message.count(line.name);
      note(line, 0, fmt::format("(count {}, got {})", line.count, have), have == line.count);
      return;
    }
    const std::size_t nth = line.how == FieldLine::How::value ? x_seen[key(line.name)]++ : 0;
    const std::string* value = x_message.find(line.name, nth);
    const bool good = meets(line, value, shown);
    note(line, nth, shown, good);
  }

  static std::string key(std::string_view name) {
    const sip::HeaderId id = sip::header_id(name);
    std::string out(id == sip::HeaderId::other ? name : sip::to_string(id));
    std::transform(out.begin(), out.end(), out.begin(), to_lower);
    return out;
  }

  /// Beside the nth field of that name, or at the end when there is none.
  void note(const FieldLine& line, std::size_t nth, const std::string& shown, bool good) {
    if (!good) fail(line.range);
    const std::string text = fmt::format("{}: {}", line.name, shown);
    for (std::size_t i = 0; i < x_message.fields.size(); ++i) {
      if (!same_header(x_message.fields[i].name, line.name) || nth-- != 0) continue;
      if (!x_expected[i].text.empty()) {
        x_extra.push_back(
            {text, good ? "" : x_message.fields[i].name + ": " + x_message.fields[i].value, !good});
      } else {
        x_expected[i] = {text, !good};
      }
      return;
    }
    x_extra.push_back({text, good ? "" : "(absent)", !good});
  }

  void order() {
    std::size_t from = 0;
    for (const std::string& name : x_step.block.order) {
      std::size_t at = from;
      while (at < x_message.fields.size() && !same_header(x_message.fields[at].name, name)) ++at;
      if (at == x_message.fields.size()) {
        fail(x_step.block.order_range);
        x_extra.push_back({fmt::format("order … {}", name), "(not behind the others)", true});
        return;
      }
      from = at + 1;
    }
  }

  void finish(const std::string& body_expected, bool body_good) {
    for (std::size_t i = 0; i < x_message.fields.size(); ++i) {
      const MessageText::Field& field = x_message.fields[i];
      x_out.rows.push_back({x_expected[i].text,
                            field.name.empty() ? field.value : field.name + ": " + field.value,
                            x_expected[i].differs});
    }
    for (Row& row : x_extra) x_out.rows.push_back(std::move(row));
    std::string_view want = body_expected;
    std::string_view have = x_message.body;
    while (!want.empty() || !have.empty()) {
      std::string_view left = split_off(want, '\n');
      std::string_view right = split_off(have, '\n');
      while (left.ends_with('\r')) left.remove_suffix(1);
      while (right.ends_with('\r')) right.remove_suffix(1);
      x_out.rows.push_back({x_step.block.body ? "| " + std::string(left) : "", "| " + std::string(right),
                            !body_good && left != right});
    }
    if (!body_good && x_message.body.empty()) x_out.rows.push_back({"(a body)", "(no body)", true});
  }

  const ReceiveStep& x_step;
  const MessageText& x_message;
  const LookUp& x_look_up;
  std::vector<Expected> x_expected;
  std::vector<Row> x_extra;
  std::map<std::string, std::size_t> x_seen;
  Comparison x_out;
};

}  // namespace

Comparison compare(const ReceiveStep& step, const MessageText& message, const LookUp& look_up) {
  return Comparer(step, message, look_up).run();
}

bool ignores(const std::string& ignore, const MessageText& message) {
  if (ignore == "everything") return true;
  if (!message.is_response()) return ignore == message.method();
  if (ignore.size() == 3 && ignore.ends_with("xx"))
    return message.status() / 100 == static_cast<unsigned>(ignore[0] - '0');
  return ignore == std::to_string(message.status());
}

}  // namespace ser::flow
