// SPDX-License-Identifier: Apache-2.0
// A SIP message as text in lines, good or bad: what actors write and expectations look at.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ser::flow {

/// True when both name the same header field, full or compact, any case.
bool same_header(std::string_view a, std::string_view b) noexcept;
/// `name` of a parameter: ";tag=x" in a header field value outside of quotes and angle brackets. Empty:
/// absent.
std::string param_of(std::string_view value, std::string_view name);
/// The URI of a name-addr or addr-spec.
std::string uri_of(std::string_view value);

/// Split at line ends; folds are joined by one blank. Anything goes: what is no header field has no name.
struct MessageText {
  struct Field {
    std::string name, value;
  };
  std::string first_line;
  std::vector<Field> fields;
  std::string body;

  static MessageText parse(std::string_view bytes);
  std::string bytes() const;

  bool is_response() const { return first_line.starts_with("SIP/2.0 "); }
  /// 0 in a request.
  unsigned status() const;
  std::string reason() const;
  /// Of the first line, or of CSeq in a response.
  std::string method() const;
  std::string request_uri() const;
  std::string cseq_method() const;
  unsigned long cseq() const;

  /// Value of the nth field of that name; nullptr: there is none.
  const std::string* find(std::string_view name, std::size_t nth = 0) const;
  std::size_t count(std::string_view name) const;
  std::string value(std::string_view name) const {
    const std::string* found = find(name);
    return found != nullptr ? *found : std::string();
  }
  /// Single values of a list header over all its fields.
  std::vector<std::string> list(std::string_view name) const;
};

}  // namespace ser::flow
