// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>

namespace ser {

namespace {

constexpr std::size_t kMaxLine = 4096;

int syslog_priority(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::alert:
      return LOG_ALERT;
    case LogLevel::bug:
    case LogLevel::critical:
      return LOG_CRIT;
    case LogLevel::error:
      return LOG_ERR;
    case LogLevel::warning:
      return LOG_WARNING;
    case LogLevel::notice:
      return LOG_NOTICE;
    case LogLevel::info:
      return LOG_INFO;
    case LogLevel::debug:
      return LOG_DEBUG;
  }
  return LOG_DEBUG;
}

std::size_t sanitize(char* text, std::size_t size) noexcept {
  while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r')) --size;
  for (std::size_t i = 0; i < size; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\t') || c == 0x7F) text[i] = '.';
  }
  return size;
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::alert:
      return "ALERT";
    case LogLevel::bug:
      return "BUG";
    case LogLevel::critical:
      return "CRITICAL";
    case LogLevel::error:
      return "ERROR";
    case LogLevel::warning:
      return "WARNING";
    case LogLevel::notice:
      return "NOTICE";
    case LogLevel::info:
      return "INFO";
    case LogLevel::debug:
      return "DEBUG";
  }
  return "DEBUG";
}

void FdLogSink::line(LogLevel level, std::string_view text) noexcept {
  char line[kMaxLine + 64];
  const std::string_view name = to_string(level);
  const auto out = fmt::format_to_n(line, sizeof line - 1, "({}) {}: {}", ::getpid(), name, text);
  const std::size_t size = out.size < sizeof line - 1 ? out.size : sizeof line - 1;
  line[size] = '\n';
  // A full pipe or a closed descriptor must not stop a worker: the line is lost.
  [[maybe_unused]] const ssize_t n = ::write(x_fd, line, size + 1);
}

SyslogSink::SyslogSink(const char* name, int facility) noexcept {
  ::openlog(name, LOG_PID | LOG_CONS, facility);
}

void SyslogSink::line(LogLevel level, std::string_view text) noexcept {
  const std::string_view name = to_string(level);
  ::syslog(syslog_priority(level), "%.*s: %.*s", static_cast<int>(name.size()), name.data(),
           static_cast<int>(text.size()), text.data());
}

void MemoryLogSink::line(LogLevel level, std::string_view text) noexcept {
  x_text.append(to_string(level)).append(": ").append(text).push_back('\n');
}

void Logger::write(LogLevel level, fmt::string_view format, fmt::format_args args) noexcept {
  if (!enabled(level)) return;
  char line[kMaxLine];
  std::size_t size = x_prefix.size() < 512 ? x_prefix.size() : 512;
  std::copy_n(x_prefix.data(), size, line);  // an empty prefix may have no address at all
  try {
    const auto out = fmt::vformat_to_n(line + size, sizeof line - size, format, args);
    size += out.size < sizeof line - size ? out.size : sizeof line - size;
  } catch (...) {
    // Only a broken format can throw, and those are checked at compile time.
    return;
  }
  x_sink->line(level, {line, sanitize(line, size)});
}

void Logger::text(LogLevel level, std::string_view text) noexcept {
  write(level, "{}", fmt::make_format_args(text));
}

}  // namespace ser
