// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "mod/registry.h"

namespace ser::mod {
namespace {

struct ToyConfig {
  int limit = 70;
  bool loud = false;
  std::string greeting = "hello";
};

class Toy final : public Module {
 public:
  using Config = ToyConfig;
  explicit Toy(const ToyConfig& config) : x_config(config) {}
  Outcome greet(proxy::Run&, std::string_view who, std::optional<std::int64_t> times) {
    return who == "nobody" ? Outcome::no()
                           : Outcome::yes(static_cast<std::int32_t>(times.value_or(x_config.limit)));
  }
  Outcome find(proxy::Run&, Compiled<SearchRegex> regex) {
    return Outcome::from(regex->regex->pattern() == "a+");
  }
  CounterId x_greeted;

 private:
  ToyConfig x_config;
};

ModuleSpec describe_toy() {
  return SpecBuilder<Toy>("toy", "Greets.")
      .also_known_as({"toyx"})
      .param(&ToyConfig::limit, "limit", "How often.", {1, 255})
      .param(&ToyConfig::loud, "loud", "Shout.")
      .param(&ToyConfig::greeting, "greeting", "What to say.")
      .function<&Toy::greet>("greet", "Greets somebody.", {"who", "times"}, kinds(proxy::RouteKind::request),
                             "1 greeted, -1 not")
      .function<&Toy::find>("find", "Finds.", {"regex"})
      .counter(&Toy::x_greeted, "greeted", "People greeted.")
      .done();
}

constexpr ModuleSpec (*kBuiltin[])() = {describe_toy};

TEST(Registry, FindsByAnyNameAndLoadsOnce) {
  Registry registry(kBuiltin);
  std::string error;
  EXPECT_EQ(registry.load("/usr/lib/ser/modules/toy.so", {}, error), Registry::Load::loaded);
  EXPECT_EQ(registry.load("toyx.so", {}, error), Registry::Load::already);
  EXPECT_EQ(registry.load("nothing.so", {}, error), Registry::Load::unknown);
  ASSERT_NE(registry.find_loaded("toyx"), nullptr);
  registry.create_all();
  EXPECT_NE(registry.find_loaded("toy")->module, nullptr);
}

TEST(Spec, ParametersAreConvertedAndChecked) {
  const ModuleSpec spec = describe_toy();
  ToyConfig config;
  EXPECT_EQ(spec.find_param("limit")->store(&config, {false, 10, {}}), "");
  EXPECT_EQ(config.limit, 10);
  EXPECT_EQ(spec.find_param("limit")->store(&config, {false, 256, {}}), "must be between 1 and 255");
  EXPECT_EQ(spec.find_param("limit")->store(&config, {true, 0, "12"}), "");
  EXPECT_EQ(config.limit, 12);
  EXPECT_EQ(spec.find_param("limit")->store(&config, {true, 0, "many"}), "must be a number");
  EXPECT_EQ(spec.find_param("loud")->store(&config, {true, 0, "Yes"}), "");
  EXPECT_TRUE(config.loud);
  EXPECT_EQ(spec.find_param("loud")->store(&config, {false, 2, {}}), "must be yes or no (1 or 0)");
  EXPECT_EQ(spec.find_param("greeting")->default_text, "\"hello\"");
  EXPECT_EQ(spec.find_param("limits"), nullptr);
}

TEST(Spec, FunctionsCarryTheirSignature) {
  const ModuleSpec spec = describe_toy();
  const FunctionSpec* greet = spec.find_function("greet", 1);
  ASSERT_NE(greet, nullptr);
  EXPECT_EQ(greet->min_args(), 1U);
  EXPECT_EQ(greet->args[1].kind, ArgKind::integer);
  Toy toy{ToyConfig{}};
  proxy::RunState state;
  alignas(proxy::Services) char no_services[sizeof(proxy::Services)] = {};  // the toy asks for none
  proxy::Run run(state, *reinterpret_cast<proxy::Services*>(no_services));
  Arg args[2];
  args[0] = {true, 0, "nobody", nullptr};
  EXPECT_EQ(greet->call(toy, run, args).code, -1);
  args[0].text = "bob";
  EXPECT_EQ(greet->call(toy, run, args).code, 70);
  args[1] = {true, 3, {}, nullptr};
  EXPECT_EQ(greet->call(toy, run, args).code, 3);
  std::string error;
  EXPECT_EQ(spec.find_function("find", 1)->args[0].compile("a(", error), nullptr);
  EXPECT_NE(error.find("at offset 2"), std::string::npos) << error;
  const CompiledArg regex = spec.find_function("find", 1)->args[0].compile("a+", error);
  args[0] = {true, 0, {}, regex.get()};
  EXPECT_EQ(spec.find_function("find", 1)->call(toy, run, args).code, 1);
}

TEST(Regex, CaseLinesCapturesAndLimit) {
  std::string error;
  Matcher matcher;
  const auto regex = Regex::compile("^user-agent: *(\\w+)", {}, error);
  Capture captures[2];
  EXPECT_EQ(regex->match(matcher, "Via: x\r\nUser-Agent: friendly-scanner\r\n", 0, captures),
            Regex::Verdict::match);
  EXPECT_EQ(captures[1].begin, 20U);
  EXPECT_EQ(captures[1].end, 28U);
  EXPECT_EQ(regex->match(matcher, ""), Regex::Verdict::no_match);
  const auto evil = Regex::compile("^(a+)+$", {}, error);
  EXPECT_EQ(evil->match(matcher, std::string(40, 'a') + "b"), Regex::Verdict::limit);
}

TEST(ReferencePage, SaysEverything) {
  const std::string page = reference_page(describe_toy());
  for (const char* part : {"# Module toy", "`toyx`", "| `limit` | number | `70` | 1 to 255 | How often. |",
                           "### `greet(who[, times])`",
                           "Allowed in request blocks. Returns 1 greeted, -1 not.", "`toy.greeted`"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part << "\n" << page;
  }
}

}  // namespace
}  // namespace ser::mod
