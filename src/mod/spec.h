// SPDX-License-Identifier: Apache-2.0
// ModuleSpec: one declaration per function, parameter, variable and statistic (DESIGN 2.8). From it come the
// checks at load, the conversion of arguments, `ser --doc`, and later RPC and metric help.
//
//   ModuleSpec describe() {
//     return SpecBuilder<MaxForwards>("maxfwd", "Counts hops (RFC 3261 16.3, 16.6).")
//         .param(&MaxForwardsConfig::max_limit, "max_limit", "Upper bound for the header field.", {1, 255})
//         .function<&MaxForwards::process>("mf_process_maxfwd_header", "…", {"limit"},
//         kinds(RouteKind::request)) .counter(&MaxForwards::x_zero, "zero", "Requests that ran out of hops.")
//         .done();
//   }
#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mod/argument.h"
#include "mod/module.h"
#include "mod/outcome.h"

namespace ser::mod {

inline constexpr std::uint32_t kAbi = 1;
inline constexpr std::size_t kMaxArgs = 8;

/// A modparam value as written.
struct ParamValue {
  bool is_text = false;
  std::int64_t integer = 0;
  std::string_view text;
};

enum class ParamType : std::uint8_t { integer, boolean, text };

struct ParamSpec {
  std::string name, help, default_text;
  ParamType type = ParamType::integer;
  std::int64_t min = INT64_MIN, max = INT64_MAX;
  bool repeatable = false;
  /// Stores into the module's config; returns what is wrong with the value, empty when nothing.
  std::function<std::string(void* config, const ParamValue&)> store;
};

struct ArgSpec {
  std::string name;
  ArgKind kind = ArgKind::text;
  bool optional = false;
  CompileArg compile = nullptr;
  proxy::RouteKinds route_kinds = 0;  ///< ArgKind::route: blocks it may name
  /// ArgKind::compiled: used in place of `compile` when set; the text may hold variables.
  CompileFormatArg compile_format = nullptr;
  bool names_host = false;  ///< a constant host name here is kept resolved by the event worker
};

using Thunk = Outcome (*)(Module&, proxy::Run&, const Arg*);

struct FunctionSpec {
  std::string name, help;
  std::vector<ArgSpec> args;
  proxy::RouteKinds allowed = proxy::kAnyRoute;
  Thunk call = nullptr;
  std::string returns;  ///< documented return codes: "1 forwarded, -1 not"
  std::size_t min_args() const noexcept {
    std::size_t n = 0;
    while (n < args.size() && !args[n].optional) ++n;
    return n;
  }
};

/// A variable `$name` or `$name(inner)`.
struct VariableSpec {
  enum class Inner : std::uint8_t { none, required, optional };
  std::string name, help;
  Inner inner = Inner::none;
  proxy::Value (*get)(Module&, proxy::Run&, std::string_view inner) = nullptr;
  Result<void> (*set)(Module&, proxy::Run&, std::string_view inner,
                      const proxy::Value&) = nullptr;  ///< null: read-only
};

struct CounterSpec {
  std::string name, help;
  std::function<void(Module&, CounterId)> bind;
};

/// Hooks a module takes part in, as bits.
enum class Hook : std::uint8_t {
  pre_script = 1,
  post_script = 2,
  on_break = 4,
  response = 8,
  after_flush = 16
};

enum class Stability : std::uint8_t { stable, beta };

struct ModuleSpec {
  std::uint32_t abi = kAbi;
  std::string name, summary;
  std::vector<std::string> other_names;  ///< names of the family that are this module here
  std::vector<ParamSpec> params;
  std::vector<FunctionSpec> functions;
  std::vector<VariableSpec> variables;
  std::vector<CounterSpec> counters;
  std::uint8_t hooks = 0;
  std::uint32_t timer_seconds = 0;  ///< 0: no timer
  Stability stability = Stability::stable;
  std::string hardening;  ///< one sentence: is it safe against untrusted peers, and why
  std::function<std::shared_ptr<void>()> make_config;
  std::function<std::unique_ptr<Module>(const void* config)> create;

  bool has(Hook hook) const noexcept { return (hooks & static_cast<std::uint8_t>(hook)) != 0; }
  const FunctionSpec* find_function(std::string_view function, std::size_t arity) const noexcept;
  const ParamSpec* find_param(std::string_view param) const noexcept;
};

/// What a third party's shared object exports as `extern "C" const ser::mod::ModuleEntry ser_module`.
struct ModuleEntry {
  std::uint32_t abi = kAbi;
  ModuleSpec (*describe)() = nullptr;
};

namespace detail {

template <auto Member>
struct MemberCall;
template <class M, class... Args, Outcome (M::*Member)(proxy::Run&, Args...)>
struct MemberCall<Member> {
  template <std::size_t... I>
  static Outcome invoke(Module& module, proxy::Run& run, const Arg* args, std::index_sequence<I...>) {
    return (static_cast<M&>(module).*Member)(run, ArgTraits<Args>::from(args[I])...);
  }
  static Outcome call(Module& module, proxy::Run& run, [[maybe_unused]] const Arg* args) {
    return invoke(module, run, args, std::index_sequence_for<Args...>{});
  }
  static std::vector<ArgSpec> args(std::initializer_list<const char*> names) {
    static_assert(sizeof...(Args) <= kMaxArgs);
    std::vector<ArgSpec> list = {ArgSpec{"", ArgTraits<Args>::kind, is_optional_arg<Args>,
                                         CompileOf<Args>::value, 0, CompileFormatOf<Args>::value}...};
    std::size_t i = 0;
    for (const char* name : names) {
      if (i < list.size()) list[i++].name = name;
    }
    return list;
  }
};

}  // namespace detail

struct Range {
  std::int64_t min = INT64_MIN;
  std::int64_t max = INT64_MAX;
};

/// Builds the spec of module class M with `using Config = …` (default constructible, copyable) and a
/// constructor M(const Config&). M may use `struct NoConfig`.
struct NoConfig {};

template <class M>
class SpecBuilder {
 public:
  using Config = typename M::Config;
  SpecBuilder(std::string name, std::string summary) {
    x_spec.name = std::move(name);
    x_spec.summary = std::move(summary);
    x_spec.make_config = [] { return std::shared_ptr<void>(std::make_shared<Config>()); };
    x_spec.create = [](const void* config) -> std::unique_ptr<Module> {
      return std::make_unique<M>(*static_cast<const Config*>(config));
    };
  }
  SpecBuilder& also_known_as(std::initializer_list<const char*> names) {
    for (const char* name : names) x_spec.other_names.emplace_back(name);
    return *this;
  }
  /// T: an integer type, bool or std::string.
  template <class T>
  SpecBuilder& param(T Config::* member, std::string name, std::string help, Range range = {});
  template <auto Member>
  SpecBuilder& function(std::string name, std::string help, std::initializer_list<const char*> args,
                        proxy::RouteKinds allowed = proxy::kAnyRoute, std::string returns = "") {
    x_spec.functions.push_back({std::move(name), std::move(help), detail::MemberCall<Member>::args(args),
                                allowed, &detail::MemberCall<Member>::call, std::move(returns)});
    return *this;
  }
  SpecBuilder& route_argument(std::size_t index, proxy::RouteKinds kinds) {
    x_spec.functions.back().args[index].route_kinds = kinds;
    return *this;
  }
  /// The argument names a host: host names written there are resolved before anybody asks.
  SpecBuilder& host_argument(std::size_t index) {
    x_spec.functions.back().args[index].names_host = true;
    return *this;
  }
  SpecBuilder& variable(VariableSpec spec) {
    x_spec.variables.push_back(std::move(spec));
    return *this;
  }
  SpecBuilder& counter(CounterId M::* member, std::string name, std::string help) {
    x_spec.counters.push_back({std::move(name), std::move(help), [member](Module& module, CounterId id) {
                                 static_cast<M&>(module).*member = id;
                               }});
    return *this;
  }
  SpecBuilder& hook(Hook hook) {
    x_spec.hooks = static_cast<std::uint8_t>(x_spec.hooks | static_cast<std::uint8_t>(hook));
    return *this;
  }
  SpecBuilder& timer(std::uint32_t seconds) {
    x_spec.timer_seconds = seconds;
    return *this;
  }
  SpecBuilder& hardened(std::string why) {
    x_spec.hardening = std::move(why);
    return *this;
  }
  ModuleSpec done() { return std::move(x_spec); }

 private:
  ModuleSpec x_spec;
};

/// Text of a default value for the reference page.
std::string default_text(bool value);
std::string default_text(std::int64_t value);
std::string default_text(const std::string& value);
/// Converts a modparam value; returns what is wrong with it.
std::string convert(const ParamValue& value, const ParamSpec& spec, bool& out);
std::string convert(const ParamValue& value, const ParamSpec& spec, std::int64_t& out);
std::string convert(const ParamValue& value, const ParamSpec& spec, std::string& out);

template <class M>
template <class T>
SpecBuilder<M>& SpecBuilder<M>::param(T Config::* member, std::string name, std::string help, Range range) {
  using Wide = std::conditional_t<std::is_same_v<T, bool> || std::is_same_v<T, std::string>, T, std::int64_t>;
  ParamSpec spec;
  spec.name = std::move(name);
  spec.help = std::move(help);
  spec.type = std::is_same_v<T, bool>          ? ParamType::boolean
              : std::is_same_v<T, std::string> ? ParamType::text
                                               : ParamType::integer;
  spec.min = range.min;
  spec.max = range.max;
  spec.default_text = default_text(static_cast<Wide>(Config{}.*member));
  const std::int64_t min = range.min;
  const std::int64_t max = range.max;
  const ParamType type = spec.type;
  spec.store = [member, min, max, type](void* config, const ParamValue& value) {
    ParamSpec limits;
    limits.min = min;
    limits.max = max;
    limits.type = type;
    Wide wide{};
    std::string wrong = convert(value, limits, wide);
    if (wrong.empty()) static_cast<Config*>(config)->*member = static_cast<T>(std::move(wide));
    return wrong;
  };
  x_spec.params.push_back(std::move(spec));
  return *this;
}

}  // namespace ser::mod
