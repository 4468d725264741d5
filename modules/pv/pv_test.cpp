// SPDX-License-Identifier: Apache-2.0
#include "modules/pv/pv.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

using proxy::Value;

TEST(Pv, AsksAboutVariables) {
  struct Case {
    Value value;
    int set, number, text;
    std::string_view type;
  };
  for (const Case& c :
       {Case{Value::null(), -1, -1, -1, "null"}, Case{Value::of(std::int64_t{5}), 1, 1, -1, "int"},
        Case{Value::of("5"), 1, -1, 1, "str"}, Case{Value::of(""), 1, -1, -1, "STR"}}) {
    mod::testing::TestWorker worker(describe_pv);
    worker.receive("OPTIONS sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a\n\n");
    worker.variable("v").value = c.value;
    EXPECT_EQ(worker.call("pv_isset", {"v"}), c.set);
    EXPECT_EQ(worker.call("is_int", {"v"}), c.number);
    EXPECT_EQ(worker.call("not_empty", {"v"}), c.text);
    EXPECT_EQ(worker.call("typeof", {"v", c.type}), 1);
    EXPECT_EQ(worker.call("typeof", {"v", "other"}), -1);
    EXPECT_EQ(worker.call("pv_unset", {"v"}), 1);
    EXPECT_EQ(worker.call("pv_isset", {"v"}), -1);
  }
}

}  // namespace
}  // namespace ser::modules
