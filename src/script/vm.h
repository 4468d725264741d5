// SPDX-License-Identifier: Apache-2.0
// The machine that runs a program: one per worker. What changes during a run lies in the message's arena, so
// that a run can stop in the middle of an expression and go on in another worker.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mod/module.h"
#include "mod/outcome.h"
#include "mod/regex.h"
#include "mod/registry.h"
#include "proxy/run.h"
#include "proxy/services.h"
#include "script/program.h"
#include "sip/uri.h"

namespace ser::script {

/// Where to go on after a block.
struct Frame {
  std::uint32_t return_pc = 0;  ///< the instruction after the `route`
  std::uint32_t sp = 0;         ///< values on the stack of the caller
  std::uint16_t block = 0;      ///< the caller
};

/// A run in progress. Plain data in the message's arena: no pointers to the program or the worker.
struct Machine {
  proxy::Value* stack = nullptr;
  Frame* frames = nullptr;
  std::uint32_t capacity = 0;  ///< of stack
  std::uint32_t sp = 0;        ///< values on the stack
  std::uint32_t pc = 0;        ///< suspended: the instruction after the call that waits
  std::uint32_t steps = 0;
  std::int64_t result = 1;         ///< of the last action of this block
  proxy::Value* locals = nullptr;  ///< $var values of a suspended run
  std::uint16_t frame_capacity = 0;
  std::uint16_t depth = 0;  ///< frames in use
  std::uint16_t block = 0;  ///< running now
  std::uint16_t entry = 0;
  bool again = false;  ///< suspended: the call is made once more, by call_again()

  /// The same as long as a call that is made again has not returned.
  std::uint64_t progress() const noexcept { return std::uint64_t{steps} << 32 | pc; }
};

/// How a run ended.
struct Ended {
  enum class How : std::uint8_t {
    returned,   ///< the block came to its end or returned; code is its result
    exited,     ///< exit
    dropped,    ///< drop: the reply or branch is not to be sent
    suspended,  ///< a function waits; go on with resume(*machine, …) or call_again(*machine, …)
    failed,     ///< no memory, step limit: logged and counted
  };
  How how = How::returned;
  std::int64_t code = 1;
  Machine* machine = nullptr;  ///< suspended: in the message's arena
};

/// What a run goes through, for tests of configurations (`ser test`): how often each instruction ran and
/// where the last run has come to. Belongs to one Vm at a time.
struct Trace {
  std::vector<std::uint64_t> hits;  ///< by instruction; set_trace() gives it its size
  std::uint32_t pc =
      UINT32_MAX;  ///< of the last instruction that ran; UINT32_MAX: none since somebody reset it
  std::uint16_t block = kNoBlock;  ///< where it stands
};

/// One per worker, made after the fork; Services::script_state points to it. Not thread-safe.
class Vm final {
 public:
  /// Both outlive the machine; the modules have been made (Registry::create_all).
  Vm(const Program& program, mod::Registry& registry);
  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  const Program& program() const noexcept { return x_program; }
  /// Runs are recorded there from now on; nullptr: no longer, and then they cost nothing (the loop is
  /// compiled twice). `trace` outlives the machine.
  void set_trace(Trace* trace);
  /// Runs a block of the program (Program::request …). kNoBlock: returned at once with code 1. on_break hooks
  /// run when the outermost block ends with 0 without an `exit`.
  Ended run(std::uint16_t block, proxy::Run& run) noexcept;
  /// Goes on where a function answered Flow::suspend, as if it had answered `outcome` (which must not be
  /// suspend).
  Ended resume(Machine& machine, proxy::Run& run, mod::Outcome outcome) noexcept;

  /// Goes on where a function answered Flow::again: calls it once more, with its arguments evaluated anew.
  /// `last`: it may not wait again.
  Ended call_again(Machine& machine, proxy::Run& run, bool last) noexcept;

  /// The text of a format in the arena of the run, or in the program. data() is nullptr when there is no
  /// memory.
  std::string_view evaluate(const Format& format, proxy::Run& run,
                            std::string_view null_text = "<null>") const noexcept;
  /// The log_prefix of the configuration for this message; empty when none is set.
  std::string_view log_prefix(proxy::Run& run) const noexcept;

  // What variables and conditions need of the worker.
  mod::Module& module(std::uint16_t loaded) const noexcept { return *x_modules[loaded]; }
  mod::Matcher& matcher() noexcept { return x_matcher; }
  bool matches(const mod::Regex& regex, std::string_view text, proxy::Run& run) noexcept;
  /// A pattern known at run time only; a bad one is logged and matches nothing.
  bool matches_dynamic(const proxy::Value& pattern, const proxy::Value& text, proxy::Run& run) noexcept;
  /// Core field as a value: text, or integer for ports, lengths and the like; null when the message has none.
  proxy::Value field_value(CoreField field, proxy::Run& run) noexcept;
  proxy::Value local(std::uint16_t slot, proxy::Run& run) const noexcept;
  Result<void> set_local(std::uint16_t slot, const proxy::Value& value) noexcept;
  /// The current Request-URI in its parts, remembered until it changes. nullptr: it is malformed, or a
  /// response.
  const sip::Uri* request_uri(proxy::Run& run) noexcept;
  /// Number of the message in this worker, from 1.
  std::uint64_t message_number() const noexcept { return x_messages; }
  static Vm& of(const proxy::Run& run) noexcept { return *static_cast<Vm*>(run.services().script_state); }

 private:
  struct Local {
    std::string text;
    std::int64_t integer = 0;
    bool is_text = false;
  };
  /// A call site with its function and module at hand.
  struct Call {
    mod::Thunk function = nullptr;
    mod::Module* module = nullptr;
    const mod::Arg* ready = nullptr;  ///< all arguments, when none depends on the message
    std::uint32_t stack_values = 0;
    std::uint32_t site = 0;
  };

  Ended go_on(Machine& machine, proxy::Run& run, const std::int64_t* answer) noexcept {
    return x_trace == nullptr ? loop<false>(machine, run, answer) : loop<true>(machine, run, answer);
  }
  template <bool kTraced>
  Ended loop(Machine& machine, proxy::Run& run, const std::int64_t* answer) noexcept;
  Ended finish(proxy::Run& run, const Ended& ended) noexcept;
  Ended fail_memory(proxy::Run& run) noexcept;
  bool enter(Machine& machine, proxy::Run& run, std::uint16_t block) noexcept;
  static bool reserve(Machine& machine, proxy::Run& run, std::uint32_t values) noexcept;
  void note_place(proxy::Run& run, std::size_t pc) const noexcept;
  bool test_address(const Instruction& in, proxy::Run& run) noexcept;
  bool test_myself(const Instruction& in, proxy::Run& run) noexcept;
  mod::Outcome call(const Call& call, const proxy::Value* stack, proxy::Run& run) noexcept;
  bool prepare(const CallSite& site, const proxy::Value* stack, proxy::Run& run, mod::Arg* args) noexcept;
  bool test(const Instruction& in, proxy::Run& run) noexcept;
  Ended suspend(Machine& machine, proxy::Run& run, mod::Outcome outcome) noexcept;
  bool keep_locals(Machine& machine, proxy::Run& run) noexcept;
  void restore_locals(Machine& machine) noexcept;
  void begin_message() noexcept { x_uri_text = {}; }
  std::string_view field_text(CoreField field, proxy::Run& run) noexcept;
  const IpAddress* field_address(CoreField field, proxy::Run& run) const noexcept;

  const Program& x_program;
  Trace* x_trace = nullptr;
  std::vector<mod::Module*> x_modules;
  std::vector<Call> x_calls;
  std::vector<Local> x_locals;
  mod::Matcher x_matcher;
  std::string_view x_uri_text;
  sip::Uri x_uri;
  std::uint64_t x_messages = 0;
  bool x_uri_good = false;
};

}  // namespace ser::script
