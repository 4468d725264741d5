// SPDX-License-Identifier: Apache-2.0
// A message against what a flow expects of it.
#pragma once
#include <string>
#include <vector>

#include "flow/flow_file.h"
#include "flow/message_text.h"
#include "flow/variables.h"

namespace ser::flow {

/// One line of the comparison as people see it.
struct Row {
  std::string expected, got;
  bool differs = false;
};

struct Comparison {
  std::vector<Row> rows;  ///< the whole message, and what is missing of it
  bool equal = true;
  conf::SourceRange range;  ///< the first line of the flow that is not met; line 0: the step itself
  std::string problem;      ///< an unknown variable
  Variables saved;          ///< by `->` and named groups
};

/// `look_up` knows the flow's variables.
Comparison compare(const ReceiveStep& step, const MessageText& message, const LookUp& look_up);

/// Does `ignore` (a method, a status, a class such as 4xx, "everything") stand for this message?
bool ignores(const std::string& ignore, const MessageText& message);

}  // namespace ser::flow
