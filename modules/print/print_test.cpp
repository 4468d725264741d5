// SPDX-License-Identifier: Apache-2.0
#include "modules/print/print.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

TEST(Print, WritesToTheLog) {
  mod::testing::TestWorker worker(describe_print);
  worker.param("str_param", "AAA");
  worker.param("int_param", "2");
  worker.receive("OPTIONS sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a\n\n");
  EXPECT_EQ(worker.lines.lines.at(0).second, "print: str_param 'AAA', int_param 2");
  EXPECT_EQ(worker.call("print", {"hello"}), 1);
  EXPECT_EQ(worker.lines.lines.at(1), std::pair(LogLevel::notice, std::string("hello")));
}

}  // namespace
}  // namespace ser::modules
