// SPDX-License-Identifier: Apache-2.0
// Arguments of the functions by which a script says our name (advertised.flow has what they do).
#include <gtest/gtest.h>

#include "srv/testing/flow.h"

namespace ser::srv::testing {
namespace {

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
