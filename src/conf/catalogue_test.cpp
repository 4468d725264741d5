// SPDX-License-Identifier: Apache-2.0
// The tables of core parameters and modules: complete where the family's files need them, and sound.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "conf/core_parameter.h"
#include "conf/diagnostic.h"
#include "conf/module_catalogue.h"

namespace ser::conf {
namespace {

TEST(CoreParameter, found_by_name_and_alias) {
  struct Row {
    std::string_view name;
    std::string_view canonical;
    ParameterStatus status;
  };
  constexpr Row kRows[] = {
      {"debug", "debug", ParameterStatus::honoured},
      {"uid", "user", ParameterStatus::honoured},
      {"wdir", "workdir", ParameterStatus::honoured},
      {"ip_nonlocal_bind", "ip_free_bind", ParameterStatus::honoured},
      {"fifo", "fifo", ParameterStatus::later},
      {"tcp_async", "tcp_buf_write", ParameterStatus::accepted},
      {"tls_enable", "enable_tls", ParameterStatus::accepted},
      {"mem_dbg", "memdbg", ParameterStatus::accepted},
      {"loop_checks", "loop_checks", ParameterStatus::accepted},
  };
  for (const Row& row : kRows) {
    const CoreParameter* found = find_core_parameter(row.name);
    ASSERT_NE(found, nullptr) << row.name;
    EXPECT_EQ(found->name, row.canonical);
    EXPECT_EQ(found->status, row.status) << row.name;
  }
  EXPECT_EQ(find_core_parameter("lisetn"), nullptr);
  EXPECT_EQ(find_core_parameter(""), nullptr);
  EXPECT_EQ(suggest("lisetn", core_parameter_names()), "listen");
}

TEST(CoreParameter, names_are_unique_and_described) {
  std::set<std::string_view> seen;
  for (const std::string_view name : core_parameter_names()) {
    EXPECT_TRUE(seen.insert(name).second) << name;
    const CoreParameter* found = find_core_parameter(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_FALSE(found->help.empty()) << name;
    EXPECT_FALSE(found->help.ends_with('.')) << name;
    EXPECT_LE(found->min, found->max) << name;
  }
  for (const CoreParameter& one : accepted_parameters()) EXPECT_EQ(one.status, ParameterStatus::accepted);
  for (const CoreParameter& one : honoured_parameters()) EXPECT_NE(one.status, ParameterStatus::accepted);
}

TEST(CoreParameter, only_the_fifo_waits_for_another_part) {
  // A warning of every start is for what a script cannot do without; all else has an effect or a reason.
  for (const CoreParameter& one : honoured_parameters()) {
    const bool fifo = one.name == "fifo" || one.name == "fifo_mode";
    EXPECT_EQ(one.status == ParameterStatus::later, fifo) << one.name;
  }
}

TEST(CoreParameter, levels_of_ser) {
  constexpr int kExpected[][2] = {{-9, -5}, {-3, -5}, {-2, -2}, {-1, -1}, {0, -1},
                                  {1, 0},   {2, 1},   {3, 2},   {4, 3},   {9, 3}};
  for (const auto& row : kExpected) EXPECT_EQ(log_level_of_ser(row[0]), row[1]) << row[0];
}

TEST(ModuleCatalogue, knows_the_functions_of_the_family) {
  struct Row {
    std::string_view module;
    std::string_view function;
    int min;
    int max;
  };
  constexpr Row kRows[] = {
      {"tm", "t_relay", 0, 2},
      {"tm", "t_on_negative", 1, 1},
      {"registrar", "save", 1, 3},
      {"registrar", "lookup", 1, 2},
      {"nathelper", "fix_nated_sdp", 1, 2},
      {"auth", "www_challenge", 2, 3},
      {"sl", "sl_filter_ACK", 0, 0},
      {"rr", "rewriteFromRoute", 0, 0},
      {"pike", "pike_check_req", 0, 0},
      {"xhttp", "xhttp_reply", 4, 4},
      {"dlgs", "dlgs_init", 3, 3},
      {"presence", "handle_publish", 0, 1},
      {"rtpengine", "rtpengine_manage", 0, 1},
  };
  for (const Row& row : kRows) {
    const ModuleFacts* module = find_module_facts(row.module);
    ASSERT_NE(module, nullptr) << row.module;
    const auto function = find_function_facts(*module, row.function);
    ASSERT_TRUE(function) << row.function;
    EXPECT_EQ(function->min_arguments, row.min) << row.function;
    EXPECT_EQ(function->max_arguments, row.max) << row.function;
  }
  EXPECT_EQ(find_module_facts("no_such"), nullptr);
  EXPECT_EQ(find_module_of_function("no_such"), nullptr);
  ASSERT_NE(find_module_of_function("alias_db_lookup"), nullptr);
  EXPECT_EQ(find_module_of_function("alias_db_lookup")->name, "alias_db");
  EXPECT_FALSE(find_function_facts(*find_module_facts("tm"), "sav"));
}

TEST(ModuleCatalogue, knows_the_parameters_of_the_family) {
  struct Row {
    std::string_view module;
    std::string_view parameter;
  };
  constexpr Row kRows[] = {{"usrloc", "db_mode"},
                           {"usrloc", "nat_bflag"},
                           {"registrar", "nat_flag"},
                           {"nathelper", "natping_interval"},
                           {"acc", "log_extra"},
                           {"tls", "config"},
                           {"htable", "htable"},
                           {"jsonrpcs", "transport"},
                           {"auth_db", "load_credentials"},
                           {"domain", "register_myself"},
                           {"debugger", "cfgtrace"},
                           {"tm", "failure_reply_mode"}};
  for (const Row& row : kRows) {
    const ModuleFacts* module = find_module_facts(row.module);
    ASSERT_NE(module, nullptr) << row.module;
    EXPECT_TRUE(has_parameter(*module, row.parameter)) << row.module << "." << row.parameter;
  }
  EXPECT_FALSE(has_parameter(*find_module_facts("tm"), "fr_time"));
  EXPECT_FALSE(has_parameter(*find_module_facts("tm"), ""));
  EXPECT_EQ(suggest("fr_timr", parameter_names(*find_module_facts("tm"))), "fr_timer");
}

TEST(ModuleCatalogue, entries_are_well_formed) {
  std::set<std::string_view> seen;
  for (const std::string_view name : module_names()) {
    EXPECT_TRUE(seen.insert(name).second) << name;
    const ModuleFacts& module = *find_module_facts(name);
    std::set<std::string_view> functions;
    for (const std::string_view function : function_names(module)) {
      EXPECT_TRUE(functions.insert(function).second) << name << ": " << function;
      const auto facts = find_function_facts(module, function);
      ASSERT_TRUE(facts);
      EXPECT_LE(facts->min_arguments, facts->max_arguments) << function;
      EXPECT_EQ(facts->routes.find_first_not_of("rfobse"), std::string_view::npos) << function;
    }
    for (const std::string_view parameter : parameter_names(module)) EXPECT_FALSE(parameter.empty()) << name;
  }
  EXPECT_GT(seen.size(), 150U);
}

}  // namespace
}  // namespace ser::conf
