// SPDX-License-Identifier: Apache-2.0
// Arguments of script functions: the C++ type of a parameter decides how the checker treats it and what the
// function gets.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "mod/regex.h"
#include "proxy/run.h"
#include "proxy/value.h"

namespace ser::mod {

/// How an argument is written in a script and handed over.
enum class ArgKind : std::uint8_t {
  text,      ///< std::string_view: a string with variables in it, evaluated before the call
  integer,   ///< std::int64_t: a number, a text of digits or an expression, evaluated before the call
  literal,   ///< Literal: constant text, `$` has no meaning
  compiled,  ///< Compiled<T>: constant text turned into a T at load; a bad one is an error with its position
  variable,  ///< Variable: a writable script variable
  route,     ///< RouteRef: the name or number of a route block, resolved at load
};

/// Constant text.
struct Literal {
  std::string_view text;
};

/// Constant text compiled at load by `static std::unique_ptr<T> T::compile(std::string_view, std::string&
/// error)`.
template <class T>
struct Compiled {
  const T* value;
  const T& operator*() const noexcept { return *value; }
  const T* operator->() const noexcept { return value; }
};

/// A regular expression argument as textops takes it: case-insensitive, ^ and $ at line ends.
struct SearchRegex {
  std::unique_ptr<Regex> regex;
  static std::unique_ptr<SearchRegex> compile(std::string_view text, std::string& error);
};

/// A writable variable of the script, bound by the compiler.
class Variable {
 public:
  using Get = proxy::Value (*)(const void* self, proxy::Run&);
  using Set = Result<void> (*)(const void* self, proxy::Run&, const proxy::Value&);
  Variable(const void* self, Get getter, Set setter) noexcept : x_self(self), x_get(getter), x_set(setter) {}
  proxy::Value get(proxy::Run& run) const { return x_get(x_self, run); }
  Result<void> set(proxy::Run& run, const proxy::Value& value) const { return x_set(x_self, run, value); }

 private:
  const void* x_self;
  Get x_get;
  Set x_set;
};

/// A text with `$variables` in it, made by the script's compiler for a module that takes such texts apart
/// itself (subst's replacement). Immutable, owned by who asked for it.
class Format {
 public:
  virtual ~Format() = default;
  /// The text with the values of this run. Lives as long as the message's arena.
  virtual std::string_view evaluate(proxy::Run& run) const = 0;
};

/// Makes Formats while a configuration is read.
class FormatCompiler {
 public:
  virtual ~FormatCompiler() = default;
  /// nullptr and `error` when a variable is unknown. A dialect without variables gives the text as it is.
  virtual std::unique_ptr<Format> compile(std::string_view text, std::string& error) = 0;
};

/// Index of a route block in the program; `kind` it must have is declared with the function.
struct RouteRef {
  std::uint16_t block = 0;
};

/// One evaluated argument as the machine passes it. `present` false: an optional one that was left out.
struct Arg {
  bool present = false;
  std::int64_t integer = 0;
  std::string_view text;
  const void* pointer = nullptr;  ///< Compiled<T>::value or Variable
};

/// Type-erased owner of what Compiled<T> arguments point to; kept by the program.
using CompiledArg = std::shared_ptr<const void>;
using CompileArg = CompiledArg (*)(std::string_view text, std::string& error);
using CompileFormatArg = CompiledArg (*)(std::string_view text, std::string& error, FormatCompiler& formats);

template <class T>
struct ArgTraits;
template <>
struct ArgTraits<std::string_view> {
  static constexpr ArgKind kind = ArgKind::text;
  static std::string_view from(const Arg& arg) noexcept { return arg.text; }
};
template <>
struct ArgTraits<std::int64_t> {
  static constexpr ArgKind kind = ArgKind::integer;
  static std::int64_t from(const Arg& arg) noexcept { return arg.integer; }
};
template <>
struct ArgTraits<Literal> {
  static constexpr ArgKind kind = ArgKind::literal;
  static Literal from(const Arg& arg) noexcept { return {arg.text}; }
};
template <>
struct ArgTraits<Variable> {
  static constexpr ArgKind kind = ArgKind::variable;
  static Variable from(const Arg& arg) noexcept { return *static_cast<const Variable*>(arg.pointer); }
};
template <>
struct ArgTraits<RouteRef> {
  static constexpr ArgKind kind = ArgKind::route;
  static RouteRef from(const Arg& arg) noexcept { return {static_cast<std::uint16_t>(arg.integer)}; }
};
template <class T>
struct ArgTraits<Compiled<T>> {
  static constexpr ArgKind kind = ArgKind::compiled;
  static Compiled<T> from(const Arg& arg) noexcept { return {static_cast<const T*>(arg.pointer)}; }
  static CompiledArg compile(std::string_view text, std::string& error) {
    std::unique_ptr<T> made = T::compile(text, error);
    return CompiledArg(std::shared_ptr<const T>(std::move(made)));
  }
};
/// An optional argument, at the end of the list only.
template <class T>
struct ArgTraits<std::optional<T>> {
  static constexpr ArgKind kind = ArgTraits<T>::kind;
  static std::optional<T> from(const Arg& arg) noexcept {
    return arg.present ? std::optional<T>(ArgTraits<T>::from(arg)) : std::nullopt;
  }
};
template <class T>
inline constexpr bool is_optional_arg = false;
template <class T>
inline constexpr bool is_optional_arg<std::optional<T>> = true;
template <class T>
struct CompileOf {
  static constexpr CompileArg value = nullptr;
};
template <class T>
struct CompileOf<Compiled<T>> {
  static constexpr CompileArg value = &ArgTraits<Compiled<T>>::compile;
};
template <class T>
struct CompileOf<std::optional<T>> : CompileOf<T> {};

/// As CompileOf, for a T that also has compile(text, error, FormatCompiler&).
template <class T>
struct CompileFormatOf {
  static constexpr CompileFormatArg value = nullptr;
};
template <class T>
  requires requires(std::string_view text, std::string& error, FormatCompiler& formats) {
    T::compile(text, error, formats);
  }
struct CompileFormatOf<Compiled<T>> {
  static CompiledArg compile(std::string_view text, std::string& error, FormatCompiler& formats) {
    std::unique_ptr<T> made = T::compile(text, error, formats);
    return CompiledArg(std::shared_ptr<const T>(std::move(made)));
  }
  static constexpr CompileFormatArg value = &compile;
};
template <class T>
struct CompileFormatOf<std::optional<T>> : CompileFormatOf<T> {};

}  // namespace ser::mod
