// SPDX-License-Identifier: Apache-2.0
#include "crash/crash_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <iterator>
#include <optional>
#include <utility>

#include "base/text.h"

namespace ser::crash {

namespace {

constexpr std::string_view kFirstLine = "ser crash file 1";
constexpr std::size_t kLongestLine = CrashFile::kMaxText + 64;

std::string clean(std::string_view text) {
  std::string out(text.substr(0, CrashFile::kMaxText));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '.');
  return out;
}

bool is_clean(std::string_view text) {
  return text.size() <= CrashFile::kMaxText && clean(text) == text;
}

std::string print_time(std::int64_t seconds) {
  constexpr std::int64_t kLast = 253'402'300'799;  // of year 9999
  const auto when = static_cast<std::time_t>(std::clamp<std::int64_t>(seconds, 0, kLast));
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

bool read_time(std::string_view text, std::int64_t& out) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return false;
  out = ::timegm(&parts);
  return print_time(out) == text;
}

std::string print_signal(std::int32_t signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("{} SIG{}", signal, name) : std::to_string(signal);
}

template <class T>
bool read_number(std::string_view text, T& out) {
  const bool negative = text.starts_with('-');
  const auto value = parse_u32(text.substr(negative ? 1 : 0));
  if (!value) return false;
  const auto wide = negative ? -static_cast<std::int64_t>(*value) : static_cast<std::int64_t>(*value);
  if (!std::in_range<T>(wide)) return false;
  out = static_cast<T>(wide);
  return std::to_string(out) == text;  // no leading zeros, no "-0"
}

bool read_flag(std::string_view text, bool& out) {
  out = text == "yes";
  return out || text == "no";
}

bool read_word(std::string_view text, std::uint64_t& out) {
  const auto value = text.starts_with("0x") && text.size() == 18 ? parse_hex(text.substr(2)) : std::nullopt;
  out = value.value_or(0);
  return value.has_value();
}

std::string print_word(std::uint64_t word) {
  return fmt::format("0x{:016x}", word);
}

/// An enumeration by its names, from its first value to `last`.
template <class E>
bool read_name(std::string_view text, E last, E& out) {
  for (unsigned i = 0; i <= static_cast<unsigned>(last); ++i) {
    out = static_cast<E>(i);
    if (to_string(out) == text) return true;
  }
  return false;
}

bool read_text(std::string_view text, std::string& out) {
  if (!is_clean(text) || text.empty()) return false;
  out = text;
  return true;
}

/// A line of the header: how it is written (nothing: left out) and read.
struct Line {
  std::string_view key;
  std::optional<std::string> (*print)(const CrashFile&);
  bool (*read)(std::string_view, CrashFile&);
};

template <std::string CrashFile::* kMember>
constexpr Line text_line(std::string_view key) {
  return {key,
          [](const CrashFile& file) -> std::optional<std::string> {
            if ((file.*kMember).empty()) return std::nullopt;
            return clean(file.*kMember);
          },
          [](std::string_view text, CrashFile& file) { return read_text(text, file.*kMember); }};
}
template <auto kMember>
constexpr Line number_line(std::string_view key) {
  return {key,
          [](const CrashFile& file) -> std::optional<std::string> { return std::to_string(file.*kMember); },
          [](std::string_view text, CrashFile& file) { return read_number(text, file.*kMember); }};
}
template <bool CrashFile::* kMember>
constexpr Line flag_line(std::string_view key) {
  return {key,
          [](const CrashFile& file) -> std::optional<std::string> { return file.*kMember ? "yes" : "no"; },
          [](std::string_view text, CrashFile& file) { return read_flag(text, file.*kMember); }};
}
template <std::uint64_t CrashFile::* kMember>
constexpr Line word_line(std::string_view key) {
  return {key, [](const CrashFile& file) -> std::optional<std::string> { return print_word(file.*kMember); },
          [](std::string_view text, CrashFile& file) { return read_word(text, file.*kMember); }};
}
template <auto kMember, auto kLast>
constexpr Line name_line(std::string_view key) {
  return {key,
          [](const CrashFile& file) -> std::optional<std::string> {
            return std::string(to_string(file.*kMember));
          },
          [](std::string_view text, CrashFile& file) { return read_name(text, kLast, file.*kMember); }};
}

std::optional<std::string> print_signal_line(const CrashFile& file) {
  if (file.signal == 0) return std::nullopt;
  return print_signal(file.signal);
}
bool read_signal_line(std::string_view text, CrashFile& file) {
  return read_number(text.substr(0, text.find(' ')), file.signal) && file.signal > 0 &&
         print_signal(file.signal) == text;
}

constexpr Line kLines[] = {
    {"time", [](const CrashFile& file) -> std::optional<std::string> { return print_time(file.time); },
     [](std::string_view text, CrashFile& file) { return read_time(text, file.time); }},
    text_line<&CrashFile::version>("version"),
    text_line<&CrashFile::config>("config"),
    name_line<&CrashFile::cause, Cause::exit>("cause"),
    {"signal", print_signal_line, read_signal_line},
    number_line<&CrashFile::code>("code"),
    number_line<&CrashFile::status>("status"),
    flag_line<&CrashFile::core>("core"),
    word_line<&CrashFile::address>("address"),
    name_line<&CrashFile::worker, shm::WorkerKind::reaper>("worker"),
    number_line<&CrashFile::slot>("slot"),
    number_line<&CrashFile::incarnation>("incarnation"),
    number_line<&CrashFile::pid>("pid"),
    name_line<&CrashFile::stage, shm::Stage::timer>("stage"),
    text_line<&CrashFile::script>("script"),
    word_line<&CrashFile::fingerprint>("fingerprint"),
    number_line<&CrashFile::deaths>("deaths"),
    flag_line<&CrashFile::quarantined>("quarantined"),
    text_line<&CrashFile::socket>("socket"),
    text_line<&CrashFile::source>("source"),
    text_line<&CrashFile::destination>("destination"),
    text_line<&CrashFile::error>("error"),
};
constexpr std::string_view kFrame = "frame";
constexpr std::string_view kNote = "note";
constexpr std::string_view kMessage = "message";

void print_lines(std::string& out, std::string_view key, const std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < std::min(lines.size(), CrashFile::kMaxLines); ++i) {
    if (!lines[i].empty()) out += fmt::format("{}: {}\n", key, clean(lines[i]));
  }
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : x_rest(bytes), x_size(bytes.size()) {}

  Result<CrashFile> read() {
    CrashFile file;
    TRY(const std::string_view first, line());
    if (first != kFirstLine) return error(Errc::syntax, "not a crash file of this version");
    std::size_t next = 0;
    for (;;) {
      x_line_at = offset();
      TRY(std::string_view text, line());
      const std::size_t colon = text.find(": ");
      if (colon == std::string_view::npos) return error(Errc::syntax, "neither \"key: value\" nor the end");
      const std::string_view key = text.substr(0, colon);
      const std::string_view value = text.substr(colon + 2);
      if (key == kMessage) {
        TRY_VOID(message(value, file));
        return file;
      }
      if (key == kFrame || key == kNote) {
        next = std::size(kLines);
        std::vector<std::string>& lines = key == kFrame ? file.frames : file.notes;
        if (lines.size() == CrashFile::kMaxLines) return error(Errc::too_many, "too many lines of a kind");
        if (key == kFrame && !file.notes.empty()) return error(Errc::syntax, "frame after note");
        if (!read_text(value, lines.emplace_back())) return error(Errc::syntax, "bad text");
        continue;
      }
      while (next < std::size(kLines) && kLines[next].key != key) ++next;
      if (next == std::size(kLines)) return error(Errc::syntax, "unknown key, or not in its place");
      if (!kLines[next++].read(value, file)) return error(Errc::syntax, "bad value");
    }
  }

 private:
  std::uint32_t offset() const { return static_cast<std::uint32_t>(x_size - x_rest.size()); }
  Error error(Errc code, const char* what) const { return {code, x_line_at, what}; }

  Result<std::string_view> line() {
    const std::size_t end = x_rest.substr(0, kLongestLine + 1).find('\n');
    if (end == std::string_view::npos)
      return error(x_rest.size() > kLongestLine ? Errc::too_long : Errc::incomplete, "line without an end");
    const std::string_view text = x_rest.substr(0, end);
    x_rest.remove_prefix(end + 1);
    return text;
  }

  Result<void> message(std::string_view value, CrashFile& file) {
    std::uint32_t size = 0;
    if (!read_number(value, size)) return error(Errc::syntax, "bad length of the message");
    if (size > CrashFile::kMaxMessage) return error(Errc::too_long, "message too long");
    TRY(const std::string_view blank, line());
    if (!blank.empty()) return error(Errc::syntax, "no blank line before the message");
    if (x_rest.size() != size)
      return error(x_rest.size() < size ? Errc::incomplete : Errc::syntax, "message of another length");
    file.message = x_rest;
    return {};
  }

  std::string_view x_rest;
  std::size_t x_size;
  std::uint32_t x_line_at = 0;
};

}  // namespace

std::string_view to_string(Cause cause) noexcept {
  switch (cause) {
    case Cause::fault:
      return "fault";
    case Cause::watchdog:
      return "watchdog";
    case Cause::outside:
      return "outside";
    case Cause::exit:
      return "exit";
  }
  return "?";
}

std::string print(const CrashFile& file) {
  std::string out(kFirstLine);
  out += '\n';
  for (const Line& line : kLines) {
    if (const auto value = line.print(file); value) out += fmt::format("{}: {}\n", line.key, *value);
  }
  print_lines(out, kFrame, file.frames);
  print_lines(out, kNote, file.notes);
  const std::string_view message = std::string_view(file.message).substr(0, CrashFile::kMaxMessage);
  out += fmt::format("{}: {}\n\n", kMessage, message.size());
  out += message;
  return out;
}

Result<CrashFile> parse_crash_file(std::string_view bytes) {
  return Reader(bytes).read();
}

}  // namespace ser::crash
