// SPDX-License-Identifier: Apache-2.0
#include "modules/xlog/xlog.h"

#include "base/text.h"
#include "sip/hdr.h"

namespace ser::modules {

namespace {

using mod::Outcome;
using proxy::Run;
using Text = std::string_view;

struct XlogConfig {
  std::int32_t buf_size = 4096;
  bool force_color = false;
  bool long_format = false;
  std::string prefix = "<script>: ";
  bool prefix_mode = false;
  std::string log_facility;
  std::string log_colors;
  std::int64_t methods_filter = -1;
};

/// "L_ERR", "ERR", or a number of -5 to 3. A wrong one is an error that should be seen.
LogLevel parse_level(Text text) noexcept {
  if (istarts_with(text, "L_")) text.remove_prefix(2);
  constexpr std::pair<Text, LogLevel> kNames[] = {
      {"ALERT", LogLevel::alert}, {"BUG", LogLevel::bug},      {"CRIT", LogLevel::critical},
      {"ERR", LogLevel::error},   {"WARN", LogLevel::warning}, {"NOTICE", LogLevel::notice},
      {"INFO", LogLevel::info},   {"DBG", LogLevel::debug},    {"-5", LogLevel::alert},
      {"-4", LogLevel::bug},      {"-3", LogLevel::critical},  {"-2", LogLevel::critical},
      {"-1", LogLevel::error},    {"0", LogLevel::warning},    {"1", LogLevel::notice},
      {"2", LogLevel::info},      {"3", LogLevel::debug},
  };
  for (const auto& [name, level] : kNames) {
    if (iequals(text, name)) return level;
  }
  return LogLevel::error;
}

/// The family's number of a method, for methods_filter.
std::int64_t method_bit(sip::Method method) noexcept {
  constexpr sip::Method kOrder[] = {sip::Method::invite,    sip::Method::cancel,  sip::Method::ack,
                                    sip::Method::bye,       sip::Method::info,    sip::Method::register_,
                                    sip::Method::subscribe, sip::Method::notify,  sip::Method::message,
                                    sip::Method::options,   sip::Method::prack,   sip::Method::update,
                                    sip::Method::refer,     sip::Method::publish, sip::Method::other};
  std::int64_t bit = 1;
  for (const sip::Method known : kOrder) {
    if (known == method) return bit;
    bit <<= 1;
  }
  return bit;
}

class Xlog final : public mod::Module {
 public:
  using Config = XlogConfig;
  explicit Xlog(const XlogConfig& config) : x_config(config) {}

  template <LogLevel kLevel>
  Outcome at_level(Run& run, Text text) {
    return write(run, kLevel, text, false);
  }
  Outcome with_level(Run& run, Text level, Text text) { return write(run, parse_level(level), text, false); }
  Outcome with_facility(Run& run, Text, Text level, Text text) {
    return write(run, parse_level(level), text, false);
  }
  template <LogLevel kLevel>
  Outcome line_at_level(Run& run, Text text) {
    return write(run, kLevel, text, true);
  }
  Outcome line_with_level(Run& run, Text level, Text text) {
    return write(run, parse_level(level), text, true);
  }
  Outcome line_with_facility(Run& run, Text, Text level, Text text) {
    return write(run, parse_level(level), text, true);
  }
  Outcome filtered(Run& run, Text level, Text text) {
    sip::Method method = run.message().method();
    if (!run.is_request()) {
      const auto cseq = run.message().get<sip::hdr::CSeq>();
      method = cseq ? (*cseq)->method : sip::Method::other;
    }
    if ((x_config.methods_filter & method_bit(method)) != 0) return Outcome::yes();
    return write(run, parse_level(level), text, false);
  }

 private:
  Outcome write(Run& run, LogLevel level, Text text, bool with_line) {
    Logger& log = run.services().log;
    if (!log.enabled(level)) return Outcome::yes();
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    text = text.substr(0, static_cast<std::size_t>(x_config.buf_size));
    if (with_line) {
      log_line(log, level, "{}{}: {}", x_config.prefix, run.state().script.line, text);
    } else {
      log_line(log, level, "{}{}", x_config.prefix, text);
    }
    return Outcome::yes();
  }

  XlogConfig x_config;
};

void add_parameters(mod::SpecBuilder<Xlog>& builder) {
  builder.param(&XlogConfig::buf_size, "buf_size", "Longer texts are cut to this many bytes.", {80, 65536})
      .param(&XlogConfig::prefix, "prefix", "Text before every line.")
      .param(&XlogConfig::methods_filter, "methods_filter",
             "Methods that `xlogm()` does not write about, as a sum: 1 INVITE, 2 CANCEL, 4 ACK, 8 BYE, 16 "
             "INFO, 32 "
             "REGISTER, 64 SUBSCRIBE, 128 NOTIFY, 256 MESSAGE, 512 OPTIONS, 1024 PRACK, 2048 UPDATE, 4096 "
             "REFER, 8192 "
             "PUBLISH, 16384 others; -1 all.")
      .param(&XlogConfig::force_color, "force_color", "Known for old files: lines have no colours.")
      .param(&XlogConfig::log_colors, "log_colors", "Known for old files: lines have no colours.")
      .param(&XlogConfig::long_format, "long_format",
             "Known for old files: `xlogl()` writes the line number without the name of the file.")
      .param(&XlogConfig::prefix_mode, "prefix_mode",
             "Known for old files: variables in `prefix` are not evaluated.")
      .param(&XlogConfig::log_facility, "log_facility",
             "Known for old files: lines of the script go where all others go.");
}

void add_levels(mod::SpecBuilder<Xlog>& builder) {
  constexpr const char* kHelp = "As `xlog()`, at the level of its name.";
  builder.function<&Xlog::at_level<LogLevel::debug>>("xdbg", kHelp, {"text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::at_level<LogLevel::info>>("xinfo", kHelp, {"text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::at_level<LogLevel::notice>>("xnotice", kHelp, {"text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::at_level<LogLevel::warning>>("xwarn", kHelp, {"text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::at_level<LogLevel::error>>("xerr", kHelp, {"text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::at_level<LogLevel::bug>>("xbug", kHelp, {"text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::at_level<LogLevel::critical>>("xcrit", kHelp, {"text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::at_level<LogLevel::alert>>("xalert", kHelp, {"text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::line_at_level<LogLevel::debug>>("xdbgl", "As `xlogl()`, at level L_DBG.", {"text"},
                                                       proxy::kAnyRoute, "1");
}

}  // namespace

mod::ModuleSpec describe_xlog() {
  mod::SpecBuilder<Xlog> builder(
      "xlog",
      "Log lines with variables in them. Control characters of a message become dots, so that "
      "nobody forges lines.");
  add_parameters(builder);
  builder
      .function<&Xlog::at_level<LogLevel::error>>(
          "xlog", "Writes a line at level L_ERR. Example: `xlog(\"call $ci to $ru\\n\");`", {"text"},
          proxy::kAnyRoute, "1")
      .function<&Xlog::with_level>(
          "xlog",
          "The same at a level: L_ALERT, L_BUG, L_CRIT, L_ERR, L_WARN, L_NOTICE, L_INFO, L_DBG, "
          "or its number (-5 to 3). Example: `xlog(\"L_INFO\", \"$rm from $si\\n\");`",
          {"level", "text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::with_facility>("xlog", "The same; the syslog facility is not looked at.",
                                      {"facility", "level", "text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::line_at_level<LogLevel::error>>(
          "xlogl", "As `xlog()`, with the line of the script before the text.", {"text"}, proxy::kAnyRoute,
          "1")
      .function<&Xlog::line_with_level>("xlogl", "The same at a level.", {"level", "text"}, proxy::kAnyRoute,
                                        "1")
      .function<&Xlog::line_with_facility>("xlogl", "The same; the facility is not looked at.",
                                           {"facility", "level", "text"}, proxy::kAnyRoute, "1")
      .function<&Xlog::filtered>("xlogm",
                                 "As `xlog(level, text)`, but not for the methods of `methods_filter`.",
                                 {"level", "text"}, proxy::kAnyRoute, "1");
  add_levels(builder);
  builder.hardened("yes; lines are cut and cleaned.");
  return builder.done();
}

}  // namespace ser::modules
