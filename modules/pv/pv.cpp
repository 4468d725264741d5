// SPDX-License-Identifier: Apache-2.0
#include "modules/pv/pv.h"

#include "base/text.h"

namespace ser::modules {

namespace {

using mod::Outcome;
using proxy::Run;
using proxy::Value;

class Pv final : public mod::Module {
 public:
  struct Config {};
  explicit Pv(const Config&) {}

  Outcome is_set(Run& run, mod::Variable variable) { return Outcome::from(!variable.get(run).is_null()); }
  Outcome unset(Run& run, mod::Variable variable) {
    return Outcome::from(static_cast<bool>(variable.set(run, Value::null())));
  }
  Outcome is_int(Run& run, mod::Variable variable) { return Outcome::from(variable.get(run).is_integer()); }
  Outcome not_empty(Run& run, mod::Variable variable) {
    const Value value = variable.get(run);
    return Outcome::from(value.is_string() && !value.text.empty());
  }
  Outcome is_of_type(Run& run, mod::Variable variable, std::string_view type) {
    const Value value = variable.get(run);
    return Outcome::from(iequals(type, value.is_integer() ? "int" : value.is_string() ? "str" : "null"));
  }
};

}  // namespace

mod::ModuleSpec describe_pv() {
  constexpr proxy::RouteKinds kAny = proxy::kAnyRoute;
  return mod::SpecBuilder<Pv>(
             "pv",
             "Questions about script variables. The variables themselves are part of the core and need no "
             "module.")
      .function<&Pv::is_set>("pv_isset", "Has the variable a value, that is, is it not null?", {"variable"},
                             kAny, "1 yes, -1 no")
      .function<&Pv::unset>("pv_unset", "Sets the variable to null.", {"variable"}, kAny,
                            "1 done, -1 it cannot be null")
      .function<&Pv::is_int>("is_int", "Is the value a number?", {"variable"}, kAny, "1 yes, -1 no")
      .function<&Pv::not_empty>("not_empty", "Is the value a text of at least one byte?", {"variable"}, kAny,
                                "1 yes, -1 no")
      .function<&Pv::is_of_type>("typeof", "Is the value of this type: `int`, `str` or `null`?",
                                 {"variable", "type"}, kAny, "1 yes, -1 no")
      .hardened("yes.")
      .done();
}

}  // namespace ser::modules
