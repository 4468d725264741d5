// SPDX-License-Identifier: Apache-2.0
// A module built outside the tree is loaded like any other, and one for another interface is refused.
#include <gtest/gtest.h>

#include <array>

#include "app/builtin_modules.h"
#include "mod/registry.h"
#include "mod/test_run.h"

namespace ser::app {
namespace {

TEST(ThirdPartyModule, LoadsAndRuns) {
  mod::Registry registry(builtin_modules());
  std::string error;
  const std::array<std::string, 1> paths{SER_THIRD_PARTY_DIR};
  ASSERT_EQ(registry.load("greeter.so", paths, error), mod::Registry::Load::loaded) << error;
  EXPECT_EQ(registry.load(SER_THIRD_PARTY_DIR "/greeter.so", {}, error), mod::Registry::Load::already);
  mod::Loaded* loaded = registry.find_loaded("greeter");
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->spec->find_param("word")->store(loaded->config.get(), {true, 0, "good day"}), "");
  registry.create_all();

  // Any module will do for the worker around it.
  mod::testing::TestWorker worker(builtin_modules().back());
  proxy::Run& run = worker.receive("INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a\n\n");
  const mod::FunctionSpec* greet = loaded->spec->find_function("greet", 2);
  ASSERT_NE(greet, nullptr);
  std::array<mod::Arg, 2> args{mod::Arg{true, 0, "Bob", nullptr}, mod::Arg{true, 2, {}, nullptr}};
  EXPECT_EQ(greet->call(*loaded->module, run, args.data()).code, 1);
  args[0].text = "Bob\r\nEvil";
  EXPECT_EQ(greet->call(*loaded->module, run, args.data()).code, -1);
  args[0].text = "";
  EXPECT_EQ(greet->call(*loaded->module, run, args.data()).code, -1);
  EXPECT_EQ(worker.written().find("X-Greeting: good day good day Bob\r\n"),
            std::string("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n").size());
}

TEST(ThirdPartyModule, AFileThatIsNoneIsRefused) {
  mod::Registry registry(builtin_modules());
  std::string error;
  EXPECT_EQ(registry.load(SER_THIRD_PARTY_DIR "/CMakeCache.txt", {}, error), mod::Registry::Load::unknown);
  EXPECT_EQ(registry.load("libm.so.6", {}, error), mod::Registry::Load::unknown) << "only where modules are";
}

}  // namespace
}  // namespace ser::app
