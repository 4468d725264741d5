// SPDX-License-Identifier: Apache-2.0
// Logging: a Logger is handed down, never global. A line that is switched off costs one predicted branch.
#pragma once
#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace ser {

/// Levels with Kamailio's numbers; a SER file's `debug` is translated when it is read.
enum class LogLevel : std::int8_t {
  alert = -5,
  bug = -4,
  critical = -2,
  error = -1,
  warning = 0,
  notice = 1,
  info = 2,
  debug = 3
};

/// "ALERT", "ERROR" … as printed at the head of a line. Static storage.
std::string_view to_string(LogLevel level) noexcept;

/// Takes finished lines (no trailing newline). One write(2) or one syslog(3) a line, so that lines of
/// processes never mix.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void line(LogLevel level, std::string_view text) noexcept = 0;
};

/// To a descriptor: "(4711) ERROR: text".
class FdLogSink final : public LogSink {
 public:
  explicit FdLogSink(int fd) noexcept : x_fd(fd) {}
  void line(LogLevel level, std::string_view text) noexcept override;

 private:
  int x_fd;
};

/// To syslog with the facility and name given. `name` must outlive the sink.
class SyslogSink final : public LogSink {
 public:
  SyslogSink(const char* name, int facility) noexcept;
  void line(LogLevel level, std::string_view text) noexcept override;
};

/// Keeps lines in memory. Tests only.
class MemoryLogSink final : public LogSink {
 public:
  void line(LogLevel level, std::string_view text) noexcept override;
  const std::string& text() const noexcept { return x_text; }
  void clear() { x_text.clear(); }

 private:
  std::string x_text;
};

/// One per worker. Not thread-safe but for set_level().
class Logger {
 public:
  explicit Logger(LogSink& sink, LogLevel level = LogLevel::warning) noexcept
      : x_sink(&sink), x_level(static_cast<int>(level)) {}
  bool enabled(LogLevel level) const noexcept {
    return static_cast<int>(level) <= x_level.load(std::memory_order_relaxed);
  }
  int level() const noexcept { return x_level.load(std::memory_order_relaxed); }
  void set_level(int level) noexcept { x_level.store(level, std::memory_order_relaxed); }
  void set_sink(LogSink& sink) noexcept { x_sink = &sink; }
  LogSink& sink() const noexcept { return *x_sink; }
  /// Text put before every line while a message is worked on (log_prefix). The view must stay valid until
  /// replaced.
  void set_prefix(std::string_view prefix) noexcept { x_prefix = prefix; }
  std::string_view prefix() const noexcept { return x_prefix; }

  /// Formats at most 4 KiB, the rest is cut; control bytes but HTAB become '.', so that a message cannot
  /// forge lines.
  void write(LogLevel level, fmt::string_view format, fmt::format_args args) noexcept;
  /// As write(), of finished text.
  void text(LogLevel level, std::string_view text) noexcept;

 private:
  LogSink* x_sink;
  std::atomic<int> x_level;
  std::string_view x_prefix;
};

}  // namespace ser

/// LOG(logger, error, "cannot bind {}", name): the arguments are evaluated only when the level is on.
#define LOG(logger, level_, ...)                                       \
  do {                                                                 \
    if ((logger).enabled(::ser::LogLevel::level_)) [[unlikely]]        \
      ::ser::log_line((logger), ::ser::LogLevel::level_, __VA_ARGS__); \
  } while (false)

namespace ser {
template <class... Args>
void log_line(Logger& logger, LogLevel level, fmt::format_string<Args...> format, Args&&... args) noexcept {
  logger.write(level, format, fmt::make_format_args(args...));
}
}  // namespace ser
