// SPDX-License-Identifier: Apache-2.0
// What a script says about our name on one message: Via and Record-Route.
#include <gtest/gtest.h>

#include "modules/rr/rr.h"
#include "srv/testing/flow.h"

namespace ser::srv::testing {
namespace {

/// Our Via and our Record-Routes (without their parameters) after the script said `calls`.
std::string named(const std::string& calls, const std::string& listen = "") {
  Flow flow("#!KAMAILIO\n" + listen +
                "loadmodule \"rr\"\nmodparam(\"rr\", \"append_fromtag\", 0)\nrequest_route {\n" +
                "  if ($ua == \"phone\") { " + calls +
                " }\n  record_route();\n  forward(\"198.51.100.7\");\n}\n",
            {modules::describe_rr});
  const std::string sent = flow.feed_one(invite());
  const std::string via = lines_named(sent, "Via");
  const std::size_t branch = via.find(";branch=z9hG4bK");
  const std::size_t end = via.find_first_of(";\r", branch + 1);
  const std::string own = via.substr(0, branch) + via.substr(end, via.find("\r\n") - end);
  // The names of one message are its own.
  std::string other = invite();
  other.replace(other.find("phone"), 5, "other");
  EXPECT_EQ(lines_named(flow.feed_one(other), "Via").find("Via: SIP/2.0/UDP 192.0.2.9:5060;branch="), 0U);
  return own + "\n" + lines_named(sent, "Record-Route");
}

TEST(Advertised, ByTheScriptForOneMessage) {
  EXPECT_EQ(named(""), "Via: SIP/2.0/UDP 192.0.2.9:5060\nRecord-Route: <sip:192.0.2.9:5060;lr>\r\n");
  EXPECT_EQ(named("set_advertised_address(203.0.113.1);"),
            "Via: SIP/2.0/UDP 203.0.113.1:5060\nRecord-Route: <sip:203.0.113.1:5060;lr>\r\n");
  EXPECT_EQ(named("set_advertised_port(6060);"),
            "Via: SIP/2.0/UDP 192.0.2.9:6060\nRecord-Route: <sip:192.0.2.9:6060;lr>\r\n");
  EXPECT_EQ(named("set_advertised_address(\"sip.example.com\"); set_advertised_port(\"6060\");"),
            "Via: SIP/2.0/UDP sip.example.com:6060\nRecord-Route: <sip:sip.example.com:6060;lr>\r\n");
  EXPECT_EQ(named("set_advertised_address(\"2001:db8::1\");"),
            "Via: SIP/2.0/UDP [2001:db8::1]:5060\nRecord-Route: <sip:[2001:db8::1]:5060;lr>\r\n");
}

TEST(Advertised, LocalRportForOneMessage) {
  EXPECT_EQ(named("add_local_rport();"),
            "Via: SIP/2.0/UDP 192.0.2.9:5060;rport\nRecord-Route: <sip:192.0.2.9:5060;lr>\r\n");
}

TEST(Advertised, BadArgumentsAreFoundAtLoad) {
  for (const char* call :
       {"set_advertised_address(\"no host\")", "set_advertised_address(\"\")", "set_advertised_port(0)",
        "set_advertised_port(65536)", "set_advertised_port(\"x\")", "add_local_rport(1)"}) {
    CommandLine line;
    line.config_file = "flow.cfg";
    const std::vector<Flow::Describe> core{script::describe_core};
    const auto loaded =
        load_configuration(line, core, "#!KAMAILIO\nrequest_route {\n  " + std::string(call) + ";\n}\n");
    EXPECT_EQ(loaded->diagnostics.errors(), 1U) << call << "\n"
                                                << conf::print(loaded->diagnostics, loaded->sources);
  }
}

}  // namespace
}  // namespace ser::srv::testing
