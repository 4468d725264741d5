// SPDX-License-Identifier: Apache-2.0
// CrashFile: what is kept of a worker's death. A header of "key: value" lines for people, then the message's
// bytes as they came.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "shm/slot.h"

namespace ser::crash {

/// What ended the worker.
enum class Cause : std::uint8_t {
  fault,     ///< its own doing: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS
  watchdog,  ///< one message took too much CPU time
  outside,   ///< a signal that others send: SIGKILL, SIGTERM, or a fault's signal from another process
  exit,      ///< it left by itself
};
/// "fault", "watchdog" … Static storage.
std::string_view to_string(Cause cause) noexcept;

/// Texts are of one line; control bytes become '.' when printed, more than kMaxText bytes are cut.
struct CrashFile {
  static constexpr std::size_t kMaxText = 1000;
  static constexpr std::size_t kMaxMessage = std::size_t{1} << 20;
  static constexpr std::size_t kMaxLines = 64;  ///< of `frame` and of `note`

  std::int64_t time = 0;  ///< seconds since 1970, UTC
  std::string version;    ///< of the server
  std::string config;     ///< path of its configuration file
  Cause cause = Cause::fault;
  std::int32_t signal = 0;  ///< 0: it left with `status`
  std::int32_t code = 0;    ///< si_code of a signal that was caught
  std::int32_t status = 0;
  bool core = false;          ///< the kernel wrote a core dump
  std::uint64_t address = 0;  ///< the fault's
  shm::WorkerKind worker = shm::WorkerKind::none;
  std::uint32_t slot = 0;
  std::uint32_t incarnation = 0;
  std::int32_t pid = 0;
  shm::Stage stage = shm::Stage::none;
  std::string script;  ///< FILE:LINE; empty: not in the script
  std::uint64_t fingerprint = 0;
  std::uint32_t deaths = 0;  ///< counted against the fingerprint at this stage, this one included
  bool quarantined = false;
  std::string socket;  ///< "udp:192.0.2.1:5060"
  std::string source;  ///< "192.0.2.7:5060"
  std::string destination;
  std::string error;                ///< what the worker wanted to tell
  std::vector<std::string> frames;  ///< "0x55… /usr/sbin/ser+0x1234 (symbol+0x10)", innermost first
  std::vector<std::string> notes;   ///< what was found damaged or missing
  std::string message;              ///< as received; empty: none in hand
};

/// The whole file. At most some 200 KiB beside the message.
std::string print(const CrashFile& file);

/// Reads what print() wrote, and nothing else: keys in its order, numbers in range, the message of exactly
/// the length its last line says. Linear. Errors: syntax, too_long, too_many with the offset.
Result<CrashFile> parse_crash_file(std::string_view bytes);

}  // namespace ser::crash
