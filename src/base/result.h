// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. The only error type of the hot path: no heap, no exceptions.
#pragma once
#include <cassert>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

namespace ser {

/// Why an operation failed. One list for all libraries, so that a code can be counted and compared.
enum class Errc : std::uint8_t {
  none,
  incomplete,    ///< more bytes are needed (stream framing)
  syntax,        ///< the bytes do not follow the grammar
  too_long,      ///< a limit on length was hit
  too_many,      ///< a limit on number was hit
  out_of_range,  ///< a number outside its range
  missing,       ///< something mandatory is not there
  unsupported,   ///< legal, but not something we can do
  version,       ///< a SIP version other than 2.0
  overlap,       ///< two edits touch the same bytes
  no_memory,     ///< arena or segment exhausted
  no_space,      ///< an output buffer is full
  not_found,
  exists,
  refused,    ///< a rule forbids it
  system,     ///< errno tells; Error::offset holds errno
  pending,    ///< the answer is not known yet
  suspended,  ///< nor is it, but the run in hand will wait for it
};

/// Short name of a code ("syntax", "too_long" …). Static storage.
const char* to_string(Errc code) noexcept;

/// What failed and where. Trivially copyable, 16 bytes.
struct Error {
  Errc code = Errc::none;
  std::uint32_t offset = 0;  ///< byte offset in the parsed text; errno when code is Errc::system
  const char* what = "";     ///< static text, never null
};

/// A T or an Error. Check with `if (r)`, then `*r`; reading the wrong side is a programming error (asserted).
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : x_ok(true) {
    new (&x_value) T(std::move(value));
  }
  Result(Error error) noexcept : x_error(error), x_ok(false) {}
  Result(Errc code, const char* what, std::uint32_t offset = 0) noexcept
      : x_error{code, offset, what}, x_ok(false) {}
  Result(const Result& other) : x_ok(other.x_ok) {
    if (x_ok)
      new (&x_value) T(other.x_value);
    else
      x_error = other.x_error;
  }
  Result(Result&& other) noexcept : x_ok(other.x_ok) {
    if (x_ok)
      new (&x_value) T(std::move(other.x_value));
    else
      x_error = other.x_error;
  }
  Result& operator=(Result other) noexcept {
    this->~Result();
    new (this) Result(std::move(other));
    return *this;
  }
  ~Result() {
    if (x_ok) x_value.~T();
  }

  explicit operator bool() const noexcept { return x_ok; }
  T& operator*() & noexcept {
    assert(x_ok);
    return x_value;
  }
  const T& operator*() const& noexcept {
    assert(x_ok);
    return x_value;
  }
  T&& operator*() && noexcept {
    assert(x_ok);
    return std::move(x_value);
  }
  T* operator->() noexcept {
    assert(x_ok);
    return &x_value;
  }
  const T* operator->() const noexcept {
    assert(x_ok);
    return &x_value;
  }
  const Error& error() const noexcept {
    assert(!x_ok);
    return x_error;
  }
  T value_or(T other) const { return x_ok ? x_value : std::move(other); }

 private:
  union {
    T x_value;
    Error x_error;
  };
  bool x_ok;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() noexcept = default;
  Result(Error error) noexcept : x_error(error) {}
  Result(Errc code, const char* what, std::uint32_t offset = 0) noexcept : x_error{code, offset, what} {}
  explicit operator bool() const noexcept { return x_error.code == Errc::none; }
  const Error& error() const noexcept { return x_error; }

 private:
  Error x_error;
};

}  // namespace ser

#define SER_CONCAT_(a, b) a##b
#define SER_CONCAT(a, b) SER_CONCAT_(a, b)
// A declaration cannot stand in parentheses. NOLINTBEGIN(bugprone-macro-parentheses)
/// TRY(auto x, expr): x is the value, or the enclosing function returns the error.
#define TRY(decl, expr)                                                       \
  auto SER_CONCAT(try_, __LINE__) = (expr);                                   \
  if (!SER_CONCAT(try_, __LINE__)) return SER_CONCAT(try_, __LINE__).error(); \
  decl = *std::move(SER_CONCAT(try_, __LINE__))
// NOLINTEND(bugprone-macro-parentheses)
/// TRY_VOID(expr): as TRY for a Result<void>.
#define TRY_VOID(expr) \
  if (auto try_result_ = (expr); !try_result_) return try_result_.error()
