// SPDX-License-Identifier: Apache-2.0
// Script variables: the table of the core's own, and a variable of a script bound to its row of that table.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mod/argument.h"
#include "proxy/run.h"
#include "proxy/value.h"

namespace ser::mod {
class Module;
}

namespace ser::script {

struct BoundVariable;
using VariableGet = proxy::Value (*)(const BoundVariable&, proxy::Run&);
using VariableSet = Result<void> (*)(const BoundVariable&, proxy::Run&, const proxy::Value&);

/// What may stand between the parentheses of a variable.
enum class InnerForm : std::uint8_t {
  none,    ///< nothing: `$ru`
  name,    ///< a constant name: `$avp(x)`, `$sel(a.b)`
  header,  ///< the name of a header field, known ones are found by number
  local,   ///< `$var(x)`: the name is turned into a slot of the worker
  avp,     ///< `$avp(s:name)`, `$avp(i:5)`, `$avp($name)` is not read
};

/// One row: all that the checker, the compiler and the reference page know about a variable of the core.
struct VariableRow {
  std::string_view name;
  std::string_view help;
  VariableGet get = nullptr;
  VariableSet set = nullptr;  ///< null: read-only
  InnerForm inner = InnerForm::none;
  bool indexed = false;  ///< takes `[n]`
};

/// The core's variables, sorted by name. Static storage.
std::span<const VariableRow> core_variables() noexcept;
const VariableRow* find_core_variable(std::string_view name) noexcept;
/// Variables of the family that belong to modules or stages that are not built yet: known, so that a script
/// that names them gets the right diagnostic.
bool is_later_variable(std::string_view name) noexcept;

/// A piece of a `{class.name,…}` chain.
enum class TransformKind : std::uint8_t {
  s_len,
  s_int,
  s_substr,
  s_tolower,
  s_toupper,
  uri_user,
  uri_host,
  uri_port,
  uri_param,
  uri_passwd,
  uri_params,
  uri_scheme,
  nameaddr_uri,
  nameaddr_name,
  nameaddr_len,
};
struct Transform {
  TransformKind kind = TransformKind::s_len;
  std::int64_t first = 0;   ///< s.substr: offset
  std::int64_t second = 0;  ///< s.substr: length
  std::string text;         ///< uri.param: name
};
/// The kind of a written name ("s.len"); false: not known here.
bool find_transform(std::string_view name, TransformKind& kind) noexcept;
/// Applies one piece. The result lives in the arena of the run or in `value`.
proxy::Value apply(const Transform& transform, const proxy::Value& value, proxy::Run& run) noexcept;

/// A variable of a script with everything settled at load. Owned by the program; its address is stable.
struct BoundVariable {
  static constexpr std::int32_t kAll = INT32_MAX;  ///< index `[*]`

  const VariableRow* row = nullptr;  ///< null: a module's variable
  VariableGet get = nullptr;
  VariableSet set = nullptr;
  std::string text;  ///< as written
  std::string inner;
  std::int32_t index = 0;  ///< `[n]`; negative: from the end; kAll
  bool has_index = false;
  bool number_name = false;    ///< `$avp(i:5)`
  std::uint8_t header_id = 0;  ///< InnerForm::header
  std::uint16_t slot = 0;      ///< InnerForm::local
  std::uint16_t loaded = 0;    ///< of a module: its place in load order
  proxy::Value (*module_get)(mod::Module&, proxy::Run&, std::string_view) = nullptr;
  Result<void> (*module_set)(mod::Module&, proxy::Run&, std::string_view, const proxy::Value&) = nullptr;
  proxy::Value constant;  ///< `$sel(cfg_get.group.id)`: text lies in `inner`
  std::vector<Transform> transforms;

  /// The value now, transformations applied.
  proxy::Value read(proxy::Run& run) const {
    proxy::Value value = get(*this, run);
    if (!transforms.empty()) [[unlikely]]
      value = transformed(value, run);
    return value;
  }
  proxy::Value transformed(proxy::Value value, proxy::Run& run) const;
};

/// `value` as text: an integer's digits are put into the arena, null is empty.
std::string_view text_of(const proxy::Value& value, Arena& arena) noexcept;
/// The digits of a number, in the arena.
std::string_view digits_of(std::int64_t number, Arena& arena) noexcept;

}  // namespace ser::script
