// SPDX-License-Identifier: Apache-2.0
// WorkerSlot: everything about one worker that somebody else must be able to read when it is dead.
#pragma once
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/endpoint.h"
#include "base/packet.h"
#include "base/source_place.h"
#include "shm/actor.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace ser::shm {

enum class WorkerKind : std::uint32_t { none, datagram, event, timer, storage, control, reaper };
/// "datagram", "event" …; static storage.
std::string_view to_string(WorkerKind kind) noexcept;

enum class WorkerState : std::uint32_t {
  empty,     ///< never used
  starting,  ///< spawned, not ready
  ready,     ///< initialised; between batches
  sleeping,  ///< in the kernel's receive, epoll or futex call
  working,   ///< has a batch
  stopping,  ///< saw the stop flag, finishes its batch
  dead,      ///< waited for; locks, batches and cells of this incarnation are put right by a reaper
};
/// "starting", "sleeping" …; static storage.
std::string_view to_string(WorkerState state) noexcept;

/// How far the message in hand has come. Stands in crash files: never renumber.
enum class Stage : std::uint32_t {
  none = 0,      ///< no message in hand
  received = 1,  ///< taken from the batch, nothing read yet
  parsing = 2,   ///< first line and first Via
  pre_script = 3,
  script = 4,    ///< WorkerSlot::script says where
  response = 5,  ///< response hooks
  forward = 6,   ///< writing the outgoing bytes
  post_script = 7,
  flush = 8,   ///< sending the batch
  resume = 9,  ///< a suspended run goes on (event worker)
  timer = 10,  ///< delivering expiries
};
std::string_view to_string(Stage stage) noexcept;

inline constexpr std::size_t kRxBlock =
    2048;  ///< arena block of a received message; datagrams beyond go via the spill
inline constexpr std::uint32_t kRxBatch = 16;
inline constexpr std::uint32_t kTxBatch = 64;
inline constexpr std::size_t kSpillBytes = 65536 + 64;
inline constexpr std::size_t kSendArea = 128 * 1024;

/// One received datagram of the batch.
struct RxEntry {
  char* block;  ///< heap cell of kRxBlock bytes, the arena of the message; nullptr: kept by somebody else by
                ///< now
  std::uint32_t length;  ///< bytes received; > kRxBlock - 1: the rest lies in the spill buffer
  std::uint16_t socket;  ///< SocketId
  std::uint8_t flags;    ///< kRxTruncated …
  std::uint8_t proto;    ///< Proto
  SockAddr from;
  SockAddr to;
};
inline constexpr std::uint8_t kRxTruncated = 1;
inline constexpr std::uint8_t kRxSpilled = 2;

/// One datagram to be sent: bytes lie in the send area.
struct TxEntry {
  std::uint32_t offset;
  std::uint32_t length;
  TxTarget target;
};

/// Entries below `next` are begun or done, `next` .. `count` not begun: the successor handles those.
struct RxBatch {
  std::atomic<std::uint32_t> count;
  std::atomic<std::uint32_t> next;
  Instant at;  ///< the clock reading of this batch
  RxEntry entries[kRxBatch];
};

/// Entries `sent` .. `count` are finished and not yet sent: the successor sends them. An entry is written
/// before count.
struct TxBatch {
  std::atomic<std::uint32_t> count;
  std::atomic<std::uint32_t> sent;
  TxEntry entries[kTxBatch];
};

/// A counted reference the worker holds on something in the segment. Written before the count there is
/// raised, cleared after it is lowered.
struct Reference {
  void* target;
  std::uint32_t kind;        ///< OwnerKind of the target
  std::uint32_t generation;  ///< of the target when it was taken
};
inline constexpr std::uint32_t kMaxReferences = 16;

/// Who ended a worker, as far as the worker itself could tell. Stands in crash files: never renumber.
enum class FaultCause : std::uint32_t {
  none = 0,      ///< it could not tell: killed, or it left
  fault = 1,     ///< a signal the processor, the kernel or abort() raised for what it did
  watchdog = 2,  ///< one message took too much CPU time
  outside = 3,   ///< a fault's signal, but sent by another process
};

std::string_view to_string(FaultCause cause) noexcept;

/// What the handler of a deadly signal leaves for the reaper. Written once, by the worker as it dies.
struct FaultReport {
  static constexpr std::uint32_t kMaxFrames = 32;
  std::atomic<FaultCause> cause;
  std::int32_t signal;
  std::int32_t code;  ///< si_code
  std::uint64_t address;
  std::uint64_t stack_pointer;
  std::atomic<std::uint32_t> frame_count;
  std::uint64_t frames[kMaxFrames];  ///< instruction addresses, innermost first
};

/// In the segment, zero bytes = empty. The worker writes it, others read it: fields read while the worker
/// lives are atomic. No field is ever followed by the supervisor.
struct alignas(64) WorkerSlot {
  static constexpr std::uint64_t kMagic = 0x746f'6c73'2e72'6573;  // "ser.slot"

  std::uint64_t magic;
  std::uint32_t index;  ///< own number, for checking
  std::atomic<WorkerKind> kind;
  std::atomic<std::uint32_t> incarnation;  ///< raised by SlotTable::begin before each spawn
  std::atomic<std::int32_t> pid;
  std::atomic<WorkerState> state;
  std::atomic<std::uint32_t>
      stop;              ///< 1: finish the batch and leave. Also a futex word for those who sleep on it
  std::uint16_t socket;  ///< datagram worker: the listener it serves
  std::uint16_t spare;
  std::atomic<std::uint32_t> deaths_in_row;  ///< kept by the supervisor: deaths before a message was finished
  std::atomic<std::uint64_t> messages;       ///< finished by all incarnations

  // Message in hand.
  alignas(64) std::atomic<Stage> stage;
  /// Where the script is: in the arena of the message in hand, so that it costs one store a message. To be
  /// followed only by who checks it first (the reaper). Of an earlier message until
  /// the stage is beyond `parsing`.
  std::atomic<const SourcePlace*> script;
  std::atomic<std::uint32_t> rx_index;         ///< entry of the receive batch in hand
  std::atomic<std::uint64_t> fingerprint;      ///< keyed hash of what the message looks like; 0: none
  std::atomic<std::uint64_t> message_serial;   ///< raised when a message is begun: the watchdog compares it
  std::atomic<std::uint64_t> watchdog_serial;  ///< message_serial at the last tick of the CPU-time timer
  std::atomic<std::uint32_t> watchdog_ticks;
  std::atomic<std::int32_t> signal;  ///< that killed the last incarnation (written by the supervisor)
  FaultReport fault;                 ///< of this incarnation; cleared by SlotTable::begin

  HeldLocks held;
  Reference references[kMaxReferences];
  std::atomic<std::uint32_t> reference_count;

  // Areas of this slot; who adopts it sets them anew from private memory (srv::SlotAreas).
  char* spill;      ///< kRxBatch places of kSpillBytes
  char* send_area;  ///< kSendArea
  RxBatch rx;
  TxBatch tx;

  std::atomic<std::uint32_t> reaped;  ///< incarnations up to this one hold no locks; batches are handed over
  std::atomic<std::uint32_t> swept;   ///< incarnations up to this one own no cells of the heap any more
  FutexLock sweeping;                 ///< held by the reaper that sweeps for this slot

  char last_error[120];  ///< NUL-terminated; what the worker wants to tell when it leaves

  /// Cuts. No allocation, safe in a signal handler.
  void set_error(std::string_view text) noexcept;
};
static_assert(Storable<WorkerSlot>);

/// Handle in private memory. Slot numbers and addresses are computed from its own copy of base and count,
/// never read from the segment, so it works on a damaged one.
class SlotTable {
 public:
  /// `count` 1..Actor::kMaxSlots slots in the static part of the segment. Errors: too_many, no_space.
  static Result<SlotTable> create(Segment& segment, std::uint16_t count) noexcept;

  std::uint16_t size() const noexcept { return x_count; }
  /// nullptr when out of range or when the slot's magic or number was overwritten.
  WorkerSlot* slot(std::uint16_t index) const noexcept;

  /// Supervisor, before each spawn: a new incarnation in state starting. Batches, references and held locks
  /// of the last one stay for the successor. `WorkerId` with incarnation 0 when slot() would be nullptr.
  WorkerId begin(std::uint16_t index, WorkerKind kind) noexcept;
  /// First act of the worker itself.
  void started(std::uint16_t index, std::int32_t pid) noexcept;
  /// Supervisor, after waitpid(): from now on its locks may be taken over.
  void mark_dead(std::uint16_t index, std::int32_t signal) noexcept;
  /// Sets the stop flag and wakes who sleeps on it.
  void stop(std::uint16_t index) noexcept;
  /// The owner a dead incarnation's cells have.
  static Owner owner(WorkerId id) noexcept { return Owner::worker(id); }

  /// Reaper: frees the locks in the slot's list that this dead incarnation still holds; returns how many.
  /// Pointers out of the segment are skipped. What the locks guard is repaired by the next holder.
  std::uint32_t release_locks(const Segment& segment, std::uint16_t index, WorkerId dead) noexcept;

 private:
  SlotTable(WorkerSlot* slots, std::uint16_t count) noexcept : x_slots(slots), x_count(count) {}
  WorkerSlot* x_slots;
  std::uint16_t x_count;
};

/// alive() from the slots: dead when the slot is marked dead or has moved on to another incarnation.
class SlotOwnerCheck final : public OwnerCheck {
 public:
  explicit SlotOwnerCheck(const SlotTable& slots) noexcept : x_slots(slots) {}
  bool alive(std::uint16_t slot, std::uint32_t incarnation20) noexcept override;
  bool holds(std::uint16_t slot, const FutexLock& lock) noexcept override;

 private:
  SlotTable x_slots;
};

/// Writes a reference to the slot's list before the count at the target is raised. RAII is no use here:
/// references outlive scopes. False: list full (a bug, or a leak: refuse the work).
bool add_reference(WorkerSlot& slot, const Reference& reference) noexcept;
/// After the count at the target was lowered.
void drop_reference(WorkerSlot& slot, const void* target) noexcept;

}  // namespace ser::shm
