// SPDX-License-Identifier: Apache-2.0
#include "modules/print/print.h"

namespace ser::modules {

namespace {

struct PrintConfig {
  std::string str_param;
  std::int64_t int_param = 0;
};

class Print final : public mod::Module {
 public:
  using Config = PrintConfig;
  explicit Print(const PrintConfig& config) : x_config(config) {}

  Result<void> start(mod::StartContext& context, std::string&) override {
    LOG(context.log, info, "print: str_param '{}', int_param {}", x_config.str_param, x_config.int_param);
    return {};
  }
  mod::Outcome print(proxy::Run& run, std::string_view text) {
    LOG(run.services().log, notice, "{}", text);
    return mod::Outcome::yes();
  }

 private:
  PrintConfig x_config;
};

}  // namespace

mod::ModuleSpec describe_print() {
  return mod::SpecBuilder<Print>("print", "SER's demonstration of a module: one function, two parameters.")
      .param(&PrintConfig::str_param, "str_param", "A text; it is logged at the start.")
      .param(&PrintConfig::int_param, "int_param", "A number; it is logged at the start.")
      .function<&Print::print>(
          "print",
          "Writes the text to the log, at level notice: a server has no standard output that "
          "somebody would read.",
          {"text"}, proxy::kAnyRoute, "1")
      .hardened("yes; lines are cut and cleaned.")
      .done();
}

}  // namespace ser::modules
