// SPDX-License-Identifier: Apache-2.0
// The linked-in modules as a whole. SER_UPDATE=1 in the environment rewrites docs/reference.
#include "app/builtin_modules.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "conf/module_catalogue.h"
#include "mod/registry.h"

namespace ser::app {
namespace {

namespace fs = std::filesystem;

fs::path page_path(const std::string& module) {
  return fs::path(SER_SOURCE_DIR) / "docs/reference" / (module + ".md");
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(BuiltinModules, ReferencePagesAreWhatTheModulesSay) {
  const bool update = std::getenv("SER_UPDATE") != nullptr;
  for (const auto describe : builtin_modules()) {
    const mod::ModuleSpec spec = describe();
    const std::string page = mod::reference_page(spec);
    if (update) std::ofstream(page_path(spec.name), std::ios::binary) << page;
    EXPECT_TRUE(read(page_path(spec.name)) == page)
        << "docs/reference/" << spec.name << ".md is out of date; run this test with SER_UPDATE=1";
  }
}

TEST(BuiltinModules, EverythingIsDocumented) {
  for (const auto describe : builtin_modules()) {
    const mod::ModuleSpec spec = describe();
    EXPECT_FALSE(spec.summary.empty() || spec.hardening.empty()) << spec.name;
    for (const mod::FunctionSpec& function : spec.functions) {
      EXPECT_FALSE(function.help.empty()) << spec.name << "." << function.name;
      for (const mod::ArgSpec& arg : function.args)
        EXPECT_FALSE(arg.name.empty()) << spec.name << "." << function.name;
    }
    for (const mod::ParamSpec& param : spec.params)
      EXPECT_FALSE(param.help.empty()) << spec.name << "." << param.name;
    for (const mod::CounterSpec& counter : spec.counters) EXPECT_FALSE(counter.help.empty()) << counter.name;
  }
}

TEST(BuiltinModules, NoFunctionIsInTwoModules) {
  std::map<std::string, std::string> owner;
  for (const auto describe : builtin_modules()) {
    const mod::ModuleSpec spec = describe();
    for (const mod::FunctionSpec& function : spec.functions) {
      const auto [found, is_new] = owner.emplace(function.name, spec.name);
      EXPECT_TRUE(is_new || found->second == spec.name)
          << function.name << ": " << found->second << ", " << spec.name;
    }
  }
}

TEST(BuiltinModules, KnowTheFamilysParameters) {
  for (const std::string_view name :
       {"sl", "maxfwd", "rr", "textops", "sanity", "siputils", "xlog", "print", "kex"}) {
    const mod::Registry registry(builtin_modules());
    const mod::ModuleSpec* spec = registry.find_builtin(name);
    const conf::ModuleFacts* facts = conf::find_module_facts(name);
    ASSERT_TRUE(spec != nullptr && facts != nullptr) << name;
    for (const std::string_view param : conf::parameter_names(*facts)) {
      if (param == "ignore_user" || param.starts_with("cookie_")) continue;  // SER 2's, of rr
      EXPECT_NE(spec->find_param(param), nullptr) << name << "." << param;
    }
  }
}

}  // namespace
}  // namespace ser::app
