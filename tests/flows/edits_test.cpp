// SPDX-License-Identifier: Apache-2.0
// Edits of several modules and of the core on one message.
#include <gtest/gtest.h>

#include "modules/rr/rr.h"
#include "modules/textops/textops.h"
#include "srv/testing/flow.h"

namespace ser::srv::testing {
namespace {

/// A request in a dialog whose Route has our value and the next one in one line.
std::string bye() {
  return crlf(
      "BYE sip:bob@198.51.100.7 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1\n"
      "Route: <sip:192.0.2.9;lr>, <sip:198.51.100.8;lr>\nMax-Forwards: 70\nFrom: <sip:a@a>;tag=1\n"
      "To: <sip:b@b>;tag=2\nCall-ID: 1\nCSeq: 2 BYE\nContent-Length: 0\n\n");
}

std::string route_left_by(const std::string& change) {
  Flow flow(
      "#!KAMAILIO\nloadmodule \"rr\"\nloadmodule \"textops\"\nrequest_route {\n  if (!loose_route()) exit;\n "
      " if (!" +
          change + ") exit;\n  forward(\"198.51.100.8\");\n}\n",
      {modules::describe_rr, modules::describe_textops});
  const std::string sent = flow.feed_one(bye());
  EXPECT_NE(sent, "") << change << "\n" << flow.log();
  return lines_named(sent, "Route");
}

TEST(Edits, AHeaderFieldGoesAlsoWhenLooseRouteTookAPartOfIt) {
  EXPECT_EQ(route_left_by("is_method(\"BYE\")"), "Route: <sip:198.51.100.8;lr>\r\n");
  for (const char* change : {"remove_hf(\"Route\")", "remove_hf_re(\"^Rou\")",
                             "remove_hf_exp(\"^R\", \"^V\")", "remove_hf_idx(\"Route\", \"0\")"})
    EXPECT_EQ(route_left_by(change), "") << change;
}

}  // namespace
}  // namespace ser::srv::testing
