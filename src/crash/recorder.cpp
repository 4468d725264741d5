// SPDX-License-Identifier: Apache-2.0
#include "crash/recorder.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "crash/fingerprint.h"

namespace ser::crash {

using shm::FaultCause;
using shm::Stage;
using shm::WorkerSlot;

namespace {

/// Bytes of a received datagram that lie in its block, as the datagram worker has it.
constexpr std::size_t kBlockRoom = shm::kRxBlock - 1;
constexpr std::uint32_t kLongest = kBlockRoom + shm::kSpillBytes - 1;
/// A fault so near to the stack pointer is no stray pointer's.
constexpr std::uint64_t kNearStack = 65536;

/// `name` as C++ programs call it, or as it is.
std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                         &std::free);
  return text != nullptr ? text.get() : name;
}

std::string frame_text(std::uint64_t address, std::string_view program) {
  Dl_info info{};
  // The reaper has the worker's mappings but for what that loaded itself.
  if (::dladdr(reinterpret_cast<const void*>(address), &info) == 0 || info.dli_fname == nullptr)
    return fmt::format("0x{:x}", address);
  Dl_info own{};
  const bool is_own =
      ::dladdr(reinterpret_cast<const void*>(&is_fault), &own) != 0 && own.dli_fbase == info.dli_fbase;
  std::string text =
      fmt::format("0x{:x} {}+0x{:x}", address, is_own && !program.empty() ? program : info.dli_fname,
                  address - reinterpret_cast<std::uint64_t>(info.dli_fbase));
  if (info.dli_sname != nullptr) {
    text += fmt::format(" ({}+0x{:x})", demangled(info.dli_sname),
                        address - reinterpret_cast<std::uint64_t>(info.dli_saddr));
  }
  return text;
}

std::string_view text_of(const char* text, std::size_t room) {
  return {text, ::strnlen(text, room)};
}

/// An address out of the segment may hold any family and scope.
bool is_sound(const SockAddr& address) {
  return address.ip.family == IpAddress::Family::v4 || address.ip.family == IpAddress::Family::v6;
}

}  // namespace

struct Recorder::Found {
  CrashFile file;
  IpAddress source;
  FaultCause told = FaultCause::none;
  bool in_hand = false;
};

bool is_fault(int signal) noexcept {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGABRT ||
         signal == SIGSYS;
}

Cause cause_of(const Death& death, FaultCause told) noexcept {
  if (death.signal == 0) return Cause::exit;
  if (told == FaultCause::watchdog) return Cause::watchdog;
  if (told == FaultCause::outside) return Cause::outside;
  // A handler that hung is ended by an alarm; what it was called for counts.
  if (told == FaultCause::fault && death.signal == SIGALRM) return Cause::fault;
  return is_fault(death.signal) ? Cause::fault : Cause::outside;
}

bool Recorder::copy(void* to, const void* from, std::size_t bytes) const noexcept {
  return x_context.segment.contains(from, bytes) && x_reader.copy(to, from, bytes);
}

void Recorder::read_message(const WorkerSlot& slot, Found& found) const {
  CrashFile& file = found.file;
  const std::uint32_t index = slot.rx_index.load(std::memory_order_relaxed);
  const std::uint32_t count = slot.rx.count.load(std::memory_order_relaxed);
  if (index >= shm::kRxBatch || count > shm::kRxBatch || index >= count) {
    file.notes.push_back(fmt::format("message {} of a batch of {}: the slot is damaged", index, count));
    return;
  }
  shm::RxEntry entry{};
  std::memcpy(static_cast<void*>(&entry), &slot.rx.entries[index], sizeof entry);
  if (is_sound(entry.from)) {
    file.source = to_string(entry.from);
    found.source = entry.from.ip;
  }
  if (is_sound(entry.to)) file.destination = to_string(entry.to);
  if (entry.socket < x_context.sockets.size()) file.socket = x_context.sockets[entry.socket];
  if (!x_context.heap.valid(entry.block)) file.notes.emplace_back("the block of the message is damaged");
  if (entry.length > kLongest) {
    file.notes.push_back(fmt::format("length {} of the message is impossible", entry.length));
    entry.length = 0;
  }
  const bool spilled = entry.length > kBlockRoom;
  const std::size_t in_block = std::min<std::size_t>(entry.length, kBlockRoom);
  file.message.resize(entry.length);
  if (!copy(file.message.data(), entry.block, in_block)) {
    file.notes.emplace_back("the message is lost: its block cannot be read");
    file.message.clear();
    return;
  }
  const char* rest = slot.spill + std::size_t{index} * shm::kSpillBytes;
  if (spilled && !copy(file.message.data() + in_block, rest, entry.length - in_block)) {
    file.notes.emplace_back("only the first bytes of the message could be read");
    file.message.resize(in_block);
  }
  found.in_hand = true;
}

void Recorder::read_script(const WorkerSlot& slot, Found& found) const {
  SourcePlace place;
  const SourcePlace* at = slot.script.load(std::memory_order_relaxed);
  if (reinterpret_cast<std::uintptr_t>(at) % alignof(SourcePlace) != 0 || !copy(&place, at, sizeof place)) {
    found.file.notes.emplace_back("the place in the script is lost");
    return;
  }
  if (place.line == 0) return;
  if (place.file >= x_context.scripts.size()) {
    found.file.notes.push_back(fmt::format("line {} of unknown file {}", place.line, place.file));
    return;
  }
  found.file.script = fmt::format("{}:{}", x_context.scripts[place.file], place.line);
}

void Recorder::read_fault(const WorkerSlot& slot, Found& found) const {
  const shm::FaultReport& fault = slot.fault;
  found.told = fault.cause.load(std::memory_order_acquire);
  if (found.told == FaultCause::none) return;
  found.file.code = fault.code;
  found.file.address = fault.address;
  if (fault.signal == SIGSEGV && fault.address + kNearStack >= fault.stack_pointer &&
      fault.address <= fault.stack_pointer + kNearStack)
    found.file.notes.emplace_back("the address is near the stack pointer: probably the stack was used up");
  const std::uint32_t count = fault.frame_count.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < std::min(count, shm::FaultReport::kMaxFrames); ++i)
    found.file.frames.push_back(frame_text(fault.frames[i], x_context.program));
  if (found.file.frames.empty()) found.file.notes.emplace_back("the backtrace could not be made");
}

void Recorder::read_slot(const WorkerSlot& slot, Found& found) const {
  CrashFile& file = found.file;
  file.stage = slot.stage.load(std::memory_order_relaxed);
  if (to_string(file.stage) == "?") {
    file.notes.push_back(fmt::format("stage {} is impossible", static_cast<std::uint32_t>(file.stage)));
    file.stage = Stage::none;
  }
  read_fault(slot, found);
  file.error = text_of(slot.last_error, sizeof slot.last_error);
  // Between messages, and while a batch is sent, there is none in hand.
  const bool takes_messages =
      file.worker == shm::WorkerKind::datagram || file.worker == shm::WorkerKind::event;
  const bool has_message =
      takes_messages && file.stage != Stage::none && file.stage != Stage::flush && file.stage != Stage::timer;
  if (!has_message) return;
  read_message(slot, found);
  if (file.stage > Stage::parsing) read_script(slot, found);
}

Recorded Recorder::examine(const Death& death, shm::Actor& self) {
  Found found;
  CrashFile& file = found.file;
  file.time = x_context.clock.wall_seconds();
  file.version = x_context.version;
  file.config = x_context.config;
  file.signal = std::max(death.signal, 0);
  file.status = death.status;
  file.core = death.core;
  file.worker = death.kind;
  file.slot = death.worker.slot;
  file.incarnation = death.worker.incarnation;
  file.pid = death.pid;
  if (const WorkerSlot* slot = x_context.slots.slot(death.worker.slot); slot != nullptr)
    read_slot(*slot, found);
  else
    file.notes.emplace_back("the slot was overwritten: nothing in it can be believed");
  file.cause = cause_of(death, found.told);

  Recorded recorded;
  recorded.cause = file.cause;
  recorded.stage = file.stage;
  recorded.has_message = found.in_hand;
  recorded.counted = found.in_hand && (file.cause == Cause::fault || file.cause == Cause::watchdog);
  if (found.in_hand) file.fingerprint = fingerprint(x_context.key, file.message, found.source);
  if (recorded.counted) {
    const DeathCount count =
        x_context.quarantine.note_death(self, file.fingerprint, file.stage, x_context.clock.now());
    file.deaths = count.deaths;
    file.quarantined = count.quarantined;
  }
  recorded.fingerprint = file.fingerprint;
  recorded.deaths = file.deaths;
  recorded.quarantined = file.quarantined;
  if (!x_context.directory.enabled()) return recorded;
  if ((file.cause == Cause::outside || file.cause == Cause::exit) && !found.in_hand) {
    recorded.file = Recorded::File::nothing;
    return recorded;
  }
  const std::string name = CrashDirectory::name_of(file.time, file.pid, file.slot, file.incarnation);
  name.copy(recorded.name, sizeof recorded.name - 1);
  x_bytes = print(file);
  recorded.file = Recorded::File::pending;
  return recorded;
}

void Recorder::write(Recorded& recorded) const noexcept {
  if (recorded.file != Recorded::File::pending) return;
  recorded.file = Recorded::File::failed;
  recorded.error = ENOMEM;
  try {
    const auto written = x_context.directory.write(&recorded.name[0], x_bytes);
    if (written) recorded.file = Recorded::File::written;
    recorded.error = written ? 0 : static_cast<int>(written.error().offset);
  } catch (const std::bad_alloc&) {
    return;  // the file is lost, as said above
  }
}

}  // namespace ser::crash
