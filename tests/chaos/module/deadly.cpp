// SPDX-License-Identifier: Apache-2.0
// A module that dies on command, for the chaos test (tests/blackbox/test_chaos.py). Never load it anywhere
// else:
//   loadmodule "/path/to/deadly.so"
//   if (is_present_hf("X-Deadly")) deadly("$hdr(X-Deadly)");
//   if (!locked()) { sl_send_reply("500", "Locked"); exit; }
// It knows how the segment lies, which no module of the world outside may: only so can it hold the server's
// own locks when it dies, and write over what lies there.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "mod/spec.h"
#include "shm/heap_layout.h"
#include "shm/slot.h"

namespace {

using namespace ser;

struct DeadlyConfig {};

/// Size of the chunk a message's arena takes first, and so of the size class whose lock hurts most.
constexpr std::size_t kChunk = 4096;

/// The segment as seen from a script function: its header holds the key that every worker is lent.
shm::SegmentHeader& segment_of(proxy::Run& run) {
  const auto* key = reinterpret_cast<const char*>(&run.services().via_key);
  return *reinterpret_cast<shm::SegmentHeader*>(const_cast<char*>(key) -
                                                offsetof(shm::SegmentHeader, branch_key));
}

shm::WorkerSlot& slot_of(proxy::Run& run) {
  return static_cast<shm::WorkerSlot*>(segment_of(run).slots)[run.services().slot];
}

/// As shm::SlotOwnerCheck, from the bare array of slots.
class OwnerCheck final : public shm::OwnerCheck {
 public:
  explicit OwnerCheck(const shm::WorkerSlot* slots) : x_slots(slots) {}
  bool alive(std::uint16_t slot, std::uint32_t incarnation20) noexcept override {
    return x_slots[slot].state.load() != shm::WorkerState::dead &&
           (x_slots[slot].incarnation.load() & 0xFFFFFU) == incarnation20;
  }
  bool holds(std::uint16_t slot, const shm::FutexLock& lock) noexcept override {
    for (const auto& entry : x_slots[slot].held.entries) {
      if (entry.lock.load() == &lock) return true;
    }
    return false;
  }

 private:
  const shm::WorkerSlot* x_slots;
};

struct Self {
  explicit Self(proxy::Run& run)
      : check(static_cast<shm::WorkerSlot*>(segment_of(run).slots)),
        actor({run.services().slot, slot_of(run).incarnation.load()}, &slot_of(run).held, &check) {}
  OwnerCheck check;
  shm::Actor actor;
};

struct Random {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = state += 0x9E37'79B9'7F4A'7C15;
    z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9;
    z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EB;
    return z ^ (z >> 31);
  }
};

/// Never returns; the bound only keeps the compiler from saying so.
__attribute__((noinline)) int overflow_stack(int depth) {
  volatile char frame[1024];
  frame[depth & 1023] = static_cast<char>(depth);
  return depth < 0 ? 0 : overflow_stack(depth + 1) + frame[(depth + 1) & 1023];
}

/// A page of a file that has none: the kernel cannot bring it.
void bus_error() {
  const int file = ::memfd_create("deadly", 0);
  void* page = ::mmap(nullptr, shm::kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) *static_cast<volatile char*>(page) = 1;
}

[[noreturn]] void loop_for_ever() {
  for (;;) asm volatile("");
}

/// The faults are real ones, not signals sent: who counts faults of messages tells them apart.
int divide_by_zero() {
  volatile int one = 1;
  volatile int zero = 0;
  return one / zero;
}

/// A part of the segment by words of eight bytes.
struct Part {
  std::vector<char*> words;
  void add(void* begin, std::size_t bytes) {
    for (std::size_t i = 0; i + 8 <= bytes; i += 8) words.push_back(static_cast<char*>(begin) + i);
  }
};

/// Pages with memory behind them: the others hold nothing worth overwriting.
void add_resident(Part& part, char* begin, std::size_t bytes) {
  std::vector<unsigned char> resident(bytes / shm::kPage);
  if (::mincore(begin, bytes, resident.data()) != 0) return;
  for (std::size_t i = 0; i < resident.size(); ++i) {
    if ((resident[i] & 1U) != 0) part.add(begin + i * shm::kPage, shm::kPage);
  }
}

/// Writes over `words` random words: as many of the header, of the worker slots, of the heap's root, of the
/// heap's cells, and of all that is static. Part by part, for a large static part must not hide the small
/// ones.
void scribble(shm::SegmentHeader& header, std::size_t slots, std::uint64_t words, std::uint64_t seed) {
  constexpr std::size_t kHeapPart = std::size_t{64} << 20;
  auto* base = reinterpret_cast<char*>(&header);
  Part parts[5];
  parts[0].add(base, sizeof header);
  parts[1].add(header.slots, slots * sizeof(shm::WorkerSlot));
  parts[2].add(header.heap, sizeof(shm::HeapRoot));
  add_resident(parts[3], base + header.static_end, kHeapPart);
  add_resident(parts[4], base, header.static_next / shm::kPage * shm::kPage);
  Random random{seed};
  for (std::uint64_t i = 0; i < words; ++i) {
    const Part& part = parts[random.next() % 5];
    const std::uint64_t value = random.next();
    if (!part.words.empty()) std::memcpy(part.words[random.next() % part.words.size()], &value, sizeof value);
  }
}

class Deadly final : public mod::Module {
 public:
  using Config = DeadlyConfig;
  explicit Deadly(const DeadlyConfig&) {}

  Result<void> start(mod::StartContext& context, std::string& error) override {
    x_lock =
        static_cast<shm::FutexLock*>(context.segment_alloc(context.segment_self, sizeof(shm::FutexLock)));
    if (x_lock != nullptr) return {};
    error = "no memory in the segment";
    return {Errc::no_space, "no memory in the segment"};
  }

  mod::Outcome deadly(proxy::Run& run, std::string_view what) {
    const std::string how(what);
    return die(run, how) || die_holding(run, how) || scribble_as_told(run, how) ? mod::Outcome::yes()
                                                                                : mod::Outcome::no();
  }

  mod::Outcome locked(proxy::Run& run) {
    Self self(run);
    shm::LockGuard guard(*x_lock, self.actor, shm::LockLevel::module);
    return mod::Outcome::from(guard.owns());
  }

 private:
  /// True when it came back, which only some ways do.
  bool die(proxy::Run& run, const std::string& how) {
    if (how == "segv") *static_cast<volatile int*>(nullptr) = 1;
    if (how == "abort") std::abort();
    if (how == "ill") __builtin_trap();
    if (how == "bus") bus_error();
    if (how == "fpe") return divide_by_zero() != 0;
    if (how == "kill") ::raise(SIGKILL);
    if (how == "stack") return overflow_stack(0) != 0;
    if (how == "exit") std::exit(3);
    if (how == "loop") loop_for_ever();
    if (how == "stop") return ::raise(SIGSTOP) == 0;
    // What worker_seccomp forbids; true: it was not refused.
    if (how == "exec") return ::execl("/bin/true", "true", nullptr) == 0;
    if (how == "create") return ::open("deadly.created", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0;
    if (how == "leak") {
      for (int i = 0; i < 8; ++i) static_cast<void>(run.arena().allocate(std::size_t{64} << 10));
      ::raise(SIGKILL);
    }
    return false;
  }

  /// The same with a lock held: the module's own, or that of the heap's size class for chunks.
  bool die_holding(proxy::Run& run, const std::string& how) {
    const bool heap = how == "kill-heap" || how == "stop-heap";
    if (!heap && how != "kill-lock" && how != "stop-lock") return false;
    Self self(run);
    auto& root = *static_cast<shm::HeapRoot*>(segment_of(run).heap);
    shm::FutexLock& lock = heap ? root.classes[shm::class_index(kChunk)].lock.lock : *x_lock;
    shm::LockGuard guard(lock, self.actor, heap ? shm::LockLevel::heap_class : shm::LockLevel::module);
    if (!guard.owns()) return true;
    ::raise(how.starts_with("kill") ? SIGKILL : SIGSTOP);
    return true;
  }

  static bool scribble_as_told(proxy::Run& run, const std::string& how) {
    if (!how.starts_with("scribble:")) return false;
    char* end = nullptr;
    const std::uint64_t words = std::strtoull(how.c_str() + 9, &end, 10);
    LOG(run.services().log, alert, "deadly: {} words overwritten", words);
    // The datagram workers are the first ones, then the others: ours and those below are enough.
    scribble(segment_of(run), run.services().slot + std::size_t{1}, words,
             *end == ':' ? std::strtoull(end + 1, nullptr, 10) : 0);
    return true;
  }

  shm::FutexLock* x_lock = nullptr;
};

mod::ModuleSpec describe() {
  return mod::SpecBuilder<Deadly>("deadly", "Dies on command. For tests only.")
      .function<&Deadly::deadly>(
          "deadly",
          "Ends the worker: segv, abort, ill, bus, fpe, kill, stack, exit, loop (never ends), leak (dies "
          "with "
          "half a megabyte of arena), kill-lock and kill-heap (dies holding a lock), stop, stop-lock and "
          "stop-heap (SIGSTOP; goes on at SIGCONT), scribble:WORDS:SEED (writes over that many words of the "
          "segment and "
          "goes "
          "on), exec and create (run a program, create a file: worker_seccomp refuses both).",
          {"what"}, proxy::kAnyRoute, "1 went on afterwards, -1 unknown word")
      .function<&Deadly::locked>("locked", "Takes and leaves the lock that kill-lock and stop-lock hold.", {},
                                 proxy::kAnyRoute, "1 done, -1 the lock was not to be had")
      .done();
}

}  // namespace

extern "C" __attribute__((visibility("default")))
const ser::mod::ModuleEntry ser_module = {ser::mod::kAbi, &describe};
