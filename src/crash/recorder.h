// SPDX-License-Identifier: Apache-2.0
// Recorder: what is done about a worker's death before its successor starts: the crash file, and the count
// against the message it was working on.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "crash/crash_directory.h"
#include "crash/crash_file.h"
#include "crash/quarantine.h"
#include "crash/safe_reader.h"
#include "shm/heap.h"
#include "shm/segment.h"
#include "shm/slot.h"

namespace ser::crash {

/// What waitpid() told, and whom it was about.
struct Death {
  shm::WorkerId worker;
  shm::WorkerKind kind = shm::WorkerKind::none;
  pid_t pid = 0;
  int signal = 0;  ///< 0: it left with `status`
  int status = 0;
  bool core = false;
};

/// What became of it. Plain bytes, so that a child can write it to a pipe.
struct Recorded {
  enum class File : std::uint8_t {
    written,
    pending,  ///< to be written
    off,      ///< there is no directory for them
    nothing,  ///< ended from outside, or left, with no message in hand: there is nothing to tell
    failed,   ///< `error` holds errno
  };
  File file = File::off;
  Cause cause = Cause::outside;
  bool has_message = false;
  bool counted = false;      ///< against the fingerprint
  bool quarantined = false;  ///< messages that look like it are dropped from now on
  shm::Stage stage = shm::Stage::none;
  int error = 0;
  std::uint64_t fingerprint = 0;  ///< 0: no message in hand
  std::uint32_t deaths = 0;       ///< of this fingerprint and stage, as far as they are remembered
  char name[64]{};                ///< of the file, NUL-terminated
};

/// What is the same for all deaths. All references and views outlive the recorder.
struct RecorderContext {
  const shm::Segment& segment;
  const shm::Heap& heap;
  const shm::SlotTable& slots;
  Quarantine& quarantine;
  CrashDirectory directory;
  HashKey key;  ///< of fingerprints
  Clock& clock;
  std::string_view version;
  std::string_view program;              ///< path of this program; its own name for it may be its title
  std::string_view config;               ///< path of the configuration file
  std::span<const std::string> scripts;  ///< names of its source files
  std::span<const std::string> sockets;  ///< "udp:192.0.2.1:5060" by SocketId
};

/// Runs in the reaper: a short-lived child of the supervisor, so a mistake here costs a crash file. It
/// believes nothing it reads in the slot: numbers are bounded, pointers checked and followed by a system call
/// that fails where a load would fault. Some 20 system calls.
class Recorder {
 public:
  explicit Recorder(const RecorderContext& context) noexcept : x_context(context) {}

  /// After SlotTable::mark_dead, before SlotTable::begin. Deaths by a fault or by the watchdog with a message
  /// in hand are counted against its fingerprint, all others never. `self`: the reaper. Touches no file:
  /// `file` of the answer is `pending` when there is one to write.
  Recorded examine(const Death& death, shm::Actor& self);
  /// Writes the file of the last examine(), if there is one: a slow disk holds up no successor so.
  void write(Recorded& recorded) const noexcept;

 private:
  struct Found;
  void read_slot(const shm::WorkerSlot& slot, Found& found) const;
  void read_message(const shm::WorkerSlot& slot, Found& found) const;
  void read_script(const shm::WorkerSlot& slot, Found& found) const;
  void read_fault(const shm::WorkerSlot& slot, Found& found) const;
  bool copy(void* to, const void* from, std::size_t bytes) const noexcept;

  RecorderContext x_context;
  SafeReader x_reader;
  std::string x_bytes;  ///< of the file to be written
};

/// The cause that `death` and what the worker's handler left amount to.
Cause cause_of(const Death& death, shm::FaultCause told) noexcept;

/// A signal that a process gets for what it does itself.
bool is_fault(int signal) noexcept;

}  // namespace ser::crash
