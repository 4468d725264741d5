// SPDX-License-Identifier: Apache-2.0
// The machine's loop: instructions of flow and values; calls stand in vm_calls.cpp, tests in
// vm_conditions.cpp.
#include "script/vm.h"

#include <algorithm>

#include "proxy/services.h"
#include "script/values.h"

namespace ser::script {

using proxy::Run;
using proxy::Value;

namespace {}  // namespace

Vm::Vm(const Program& program, mod::Registry& registry) : x_program(program) {
  for (mod::Loaded& loaded : registry.loaded()) x_modules.push_back(loaded.module.get());
  for (const CallSite& site : program.sites) {
    const Native& native = program.natives[site.native];
    x_calls.push_back({native.call, x_modules[native.loaded], site.all_ready ? site.ready.data() : nullptr,
                       site.stack_values, static_cast<std::uint32_t>(x_calls.size())});
  }
  x_locals.resize(program.locals.size());
}

Vm::~Vm() = default;

void Vm::note_place(Run& run, std::size_t pc) const noexcept {
  run.state().script = x_program.places[pc];
}

bool Vm::reserve(Machine& machine, Run& run, std::uint32_t values) noexcept {
  if (values <= machine.capacity - machine.sp) [[likely]]
    return true;
  const std::uint32_t capacity = std::max(machine.sp + values, machine.capacity * 2);
  auto* stack = run.arena().make_array<Value>(capacity);
  if (stack == nullptr) return false;
  std::copy_n(machine.stack, machine.sp, stack);
  machine.stack = stack;
  machine.capacity = capacity;
  return true;
}

bool Vm::enter(Machine& machine, Run& run, std::uint16_t block) noexcept {
  machine.block = block;
  return reserve(machine, run, x_program.blocks[block].max_stack);
}

Ended Vm::fail_memory(Run& run) noexcept {
  run.services().counters.add(run.services().count.arena_exhausted);
  LOG(run.services().log, error, "{}:{}: the script needs more memory than a message may have; it ends here",
      x_program.files[run.state().script.file], run.state().script.line);
  return {Ended::How::failed, -1, nullptr};
}

Ended Vm::finish(Run& run, const Ended& ended) noexcept {
  if (ended.how == Ended::How::returned && ended.code == 0) {
    for (const std::uint16_t loaded : x_program.on_break) x_modules[loaded]->on_break(run);
  }
  return ended;
}

Ended Vm::run(std::uint16_t block, Run& run) noexcept {
  if (block == kNoBlock) return {};
  begin_message();
  ++x_messages;
  auto* machine = run.arena().make<Machine>();
  if (machine == nullptr) return fail_memory(run);
  machine->entry = block;
  if (!enter(*machine, run, block)) return fail_memory(run);
  machine->pc = x_program.blocks[block].begin;
  return finish(run, go_on(*machine, run, nullptr));
}

Ended Vm::resume(Machine& machine, Run& run, mod::Outcome outcome) noexcept {
  begin_message();
  restore_locals(machine);
  if (outcome.flow == mod::Outcome::Flow::stop) {
    run.state().retcode = outcome.code;
    return {Ended::How::exited, outcome.code, nullptr};
  }
  const std::int64_t answer = outcome.code;
  return finish(run, go_on(machine, run, &answer));
}

Ended Vm::call_again(Machine& machine, Run& run, bool last) noexcept {
  begin_message();
  restore_locals(machine);
  const std::size_t at = machine.pc - 1;
  const Call& site = x_calls[x_program.code[at].c];
  note_place(run, at);
  run.state().wait_is_over = last;
  const mod::Outcome outcome = site.ready != nullptr ? site.function(*site.module, run, site.ready)
                                                     : call(site, machine.stack + machine.sp, run);
  run.state().wait_is_over = false;
  if (outcome.waits()) return suspend(machine, run, outcome);
  if (outcome.flow == mod::Outcome::Flow::stop) {
    run.state().retcode = outcome.code;
    return {Ended::How::exited, outcome.code, nullptr};
  }
  const std::int64_t answer = outcome.code;
  return finish(run, go_on(machine, run, &answer));
}

/// The machine stands behind the call.
Ended Vm::suspend(Machine& machine, Run& run, mod::Outcome outcome) noexcept {
  machine.again = outcome.flow == mod::Outcome::Flow::again;
  if (!keep_locals(machine, run)) return fail_memory(run);
  return {Ended::How::suspended, 0, &machine};
}

bool Vm::keep_locals(Machine& machine, Run& run) noexcept {
  if (x_locals.empty()) return true;
  machine.locals = run.arena().make_array<Value>(x_locals.size());
  if (machine.locals == nullptr) return false;
  for (std::size_t i = 0; i < x_locals.size(); ++i)
    machine.locals[i] = local(static_cast<std::uint16_t>(i), run);
  return true;
}

void Vm::restore_locals(Machine& machine) noexcept {
  if (machine.locals == nullptr) return;
  for (std::size_t i = 0; i < x_locals.size(); ++i)
    (void)set_local(static_cast<std::uint16_t>(i), machine.locals[i]);
  machine.locals = nullptr;
}

Value Vm::local(std::uint16_t slot, Run& run) const noexcept {
  const Local& value = x_locals[slot];
  if (!value.is_text) return Value::of(value.integer);
  // A copy: the slot may be assigned while the value is still in use.
  const std::string_view text = run.arena().copy(value.text);
  return Value::of(text.data() != nullptr ? text : std::string_view(""));
}

Result<void> Vm::set_local(std::uint16_t slot, const Value& value) noexcept {
  Local& local = x_locals[slot];
  local.is_text = value.is_string();
  if (local.is_text) {
    local.text.assign(value.text);
  } else {
    local.integer = value.is_integer() ? value.integer : 0;
  }
  return {};
}

void Vm::set_trace(Trace* trace) {
  x_trace = trace;
  if (trace != nullptr) trace->hits.resize(x_program.code.size());
}

// One loop on purpose: the registers of the machine stay in those of the processor.
template <bool kTraced>
Ended Vm::loop(Machine& m, Run& run, const std::int64_t* answer) noexcept {
  using How = Ended::How;
  const Program& program = x_program;
  const bool ser = program.dialect == Dialect::ser;
  const Instruction* const code = program.code.data();
  const Instruction* pc = code + m.pc;
  Value* sp = m.stack + m.sp;
  std::int64_t result = m.result;
  std::int64_t value = 0;
  bool bad = false;  // a part of the expression at hand could not be computed
  const Instruction* in = nullptr;
  if (answer != nullptr) {
    in = pc - 1;
    value = *answer;
    goto called;
  }

  for (;;) {
    in = pc++;
    if constexpr (kTraced) {
      x_trace->pc = static_cast<std::uint32_t>(in - code);
      x_trace->block = m.block;
      ++x_trace->hits[x_trace->pc];
    }
    switch (in->op) {
      case Op::end:
        value = result;
        goto leave;
      case Op::jump:
        pc = code + in->target;
        break;
      case Op::loop:
        m.steps += static_cast<std::uint32_t>(in - code) - in->target + 1;
        if (m.steps > run.services().settings.max_steps) [[unlikely]]
          goto too_long;
        pc = code + in->target;
        break;
      case Op::jump_if:
        --sp;
        if (truth_of(*sp) == ((in->a & 1) != 0)) pc = code + in->target;
        bad = false;
        break;
      case Op::jump_result:
        if ((result > 0) == ((in->a & 1) != 0)) pc = code + in->target;
        break;
      case Op::set_result:
        result = program.integers[in->c];
        break;
      case Op::ret:
        value = program.integers[in->c];
        if (value == 0 && in->a != 0) goto ended;
        goto leave;
      case Op::ret_pop:
        value = integer_of(*--sp);
        if (value == 0 && in->a != 0) goto ended;
        goto leave;
      case Op::exit:
        value = program.integers[in->c];
        goto ended;
      case Op::exit_pop:
        value = integer_of(*--sp);
        goto ended;
      case Op::drop:
        return {How::dropped, 0, nullptr};
      case Op::pop:
        sp -= in->c;
        break;
      case Op::while_begin:
        *sp++ = Value::of(std::int64_t{0});
        break;
      case Op::while_check:
        if (++sp[-1].integer > run.services().settings.max_while_loops) [[unlikely]] {
          note_place(run, static_cast<std::size_t>(in - code));
          LOG(run.services().log, error, "{}:{}: `while` left after {} rounds (max_while_loops)",
              program.files[run.state().script.file], run.state().script.line,
              run.services().settings.max_while_loops);
          result = -1;
          pc = code + in->target;
        }
        break;
      case Op::route: {
        m.steps += program.blocks[in->c].end - program.blocks[in->c].begin;
        if (m.steps > run.services().settings.max_steps) [[unlikely]]
          goto too_long;
        const std::uint16_t limit = run.services().settings.max_recursive_level;
        if (m.depth + 1 >= limit) [[unlikely]] {
          note_place(run, static_cast<std::size_t>(in - code));
          LOG(run.services().log, error, "{}:{}: route blocks nested deeper than {}: `{}` is not run",
              program.files[run.state().script.file], run.state().script.line, limit,
              program.blocks[in->c].name);
          value = -1;
          goto routed;
        }
        m.sp = static_cast<std::uint32_t>(sp - m.stack);
        if (m.depth == m.frame_capacity) {
          const auto capacity = static_cast<std::uint16_t>(m.frame_capacity == 0 ? 4 : m.frame_capacity * 2);
          auto* frames = run.arena().make_array<Frame>(capacity);
          if (frames == nullptr) return fail_memory(run);
          std::copy_n(m.frames, m.depth, frames);
          m.frames = frames;
          m.frame_capacity = capacity;
        }
        m.frames[m.depth++] = {static_cast<std::uint32_t>(pc - code), m.sp, m.block};
        if (!enter(m, run, static_cast<std::uint16_t>(in->c))) return fail_memory(run);
        sp = m.stack + m.sp;
        pc = code + program.blocks[in->c].begin;
        result = 1;
        break;
      }
      case Op::call: {
        const Call& site = x_calls[in->c];
        note_place(run, static_cast<std::size_t>(in - code));
        sp -= site.stack_values;
        const mod::Outcome outcome =
            site.ready != nullptr ? site.function(*site.module, run, site.ready) : call(site, sp, run);
        value = outcome.code;
        if (outcome.flow != mod::Outcome::Flow::next) [[unlikely]] {
          if (outcome.flow == mod::Outcome::Flow::stop) goto ended;
          m.pc = static_cast<std::uint32_t>(pc - code);
          m.sp = static_cast<std::uint32_t>(sp - m.stack);
          m.result = result;
          return suspend(m, run, outcome);
        }
        goto called;
      }
      case Op::push_int:
        *sp++ = Value::of(program.integers[in->c]);
        break;
      case Op::push_text:
        *sp++ = Value::of(std::string_view(program.texts[in->c]));
        break;
      case Op::push_null:
        *sp++ = Value::null();
        break;
      case Op::push_var:
        *sp++ = program.variables[in->c]->read(run);
        break;
      case Op::push_field:
        *sp++ = field_value(static_cast<CoreField>(in->b), run);
        break;
      case Op::push_field_text:
        *sp++ = Value::of(field_text(static_cast<CoreField>(in->b), run));
        break;
      case Op::push_concat: {
        const std::string_view text = evaluate(program.formats[in->c], run, {});
        if (text.data() == nullptr) [[unlikely]]
          return fail_memory(run);
        *sp++ = Value::of(text);
        break;
      }
      case Op::store: {
        --sp;
        result = 1;
        const BoundVariable& variable = *program.variables[in->c];
        if (bad || !variable.set(variable, run, *sp)) [[unlikely]] {
          note_place(run, static_cast<std::size_t>(in - code));
          LOG(run.services().log, error, "{}:{}: cannot assign to {}: {}",
              program.files[run.state().script.file], run.state().script.line, variable.text,
              bad ? "the expression has no value" : "the value is refused");
          result = -1;
        }
        bad = false;
        break;
      }
      case Op::unary:
        if (!apply_unary(static_cast<Operator>(in->a), sp[-1], run.arena(), sp[-1])) bad = true;
        break;
      case Op::binary: {
        --sp;
        const auto op = static_cast<Operator>(in->a);
        if (op == Operator::match || op == Operator::not_match) {
          const bool found = matches_dynamic(sp[0], sp[-1], run);
          sp[-1] = Value::of(std::int64_t{found == (op == Operator::match) ? 1 : 0});
        } else if (Value out; apply_binary(op, sp[-1], sp[0], run.arena(), out)) {
          sp[-1] = out;
        } else {
          note_place(run, static_cast<std::size_t>(in - code));
          LOG(run.services().log, error, "{}:{}: division by zero, or no memory",
              program.files[run.state().script.file], run.state().script.line);
          sp[-1] = Value::null();
          bad = true;
        }
        break;
      }
      case Op::match: {
        const bool found = matches(*program.regexes[in->c], text_of(sp[-1], run.arena()), run);
        sp[-1] = Value::of(std::int64_t{found ? 1 : 0});
        break;
      }
      case Op::to_int:
        sp[-1] = Value::of(integer_of(sp[-1]));
        break;
      case Op::case_int:
        if (sp[-1].integer == program.integers[in->c]) pc = code + in->target;
        break;
      case Op::case_text:
        if (text_of(sp[-1], run.arena()) == program.texts[in->c]) pc = code + in->target;
        break;
      case Op::case_match:
        if (matches(*program.regexes[in->c], text_of(sp[-1], run.arena()), run)) pc = code + in->target;
        break;
      case Op::test_method: {
        const sip::StartLine& start = run.message().start();
        const auto method = static_cast<sip::Method>(in->b);
        const bool known = method != sip::Method::other && start.method != sip::Method::other;
        if ((known ? start.method == method : test(*in, run)) == ((in->a & 1) != 0)) pc = code + in->target;
        break;
      }
      case Op::test_null:
        if (program.variables[in->c]->read(run).is_null() == ((in->a & 1) != 0)) pc = code + in->target;
        break;
      case Op::test_text:
      case Op::test_match:
      case Op::test_int:
      case Op::test_max_len:
      case Op::test_myself:
      case Op::test_network:
      case Op::test_name:
      case Op::test_reverse:
      case Op::test_var_text:
      case Op::test_var_int:
      case Op::test_var_match:
        note_place(run, static_cast<std::size_t>(in - code));
        if (test(*in, run) == ((in->a & 1) != 0)) pc = code + in->target;
        break;
      default:
        __builtin_unreachable();  // all instructions stand above; saves the check in each dispatch
    }
    continue;

  called:
    // A function answered. 0 ends the block in SER and the run in Kamailio.
    if (in->b != 0) run.state().retcode = value;
    if (value == 0) [[unlikely]] {
      if (ser) goto leave;
      goto ended;
    }
    goto answered;

  leave:
    if (m.depth == 0) {
      run.state().retcode = value;
      return {How::returned, value, nullptr};
    }
    {
      const Frame& frame = m.frames[--m.depth];
      pc = code + frame.return_pc;
      sp = m.stack + frame.sp;
      m.block = frame.block;
      in = pc - 1;
    }
  routed:
    if (ser && value >= 0) value = 1;
    run.state().retcode = value;

  answered:
    switch (static_cast<CallMode>(in->a)) {
      case CallMode::statement:
        result = value;
        break;
      case CallMode::jump_false:
        if (value <= 0) pc = code + in->target;
        break;
      case CallMode::jump_true:
        if (value > 0) pc = code + in->target;
        break;
      case CallMode::push_truth:
        *sp++ = Value::of(std::int64_t{value > 0 ? 1 : 0});
        break;
      case CallMode::push_code:
        *sp++ = Value::of(value);
        break;
    }
    // The condition of an `if` leaves no result of its own; what follows it does.
    if (static_cast<CallMode>(in->a) != CallMode::statement) result = 1;
  }

ended:
  run.state().retcode = value;
  return {How::exited, value, nullptr};

too_long:
  note_place(run, static_cast<std::size_t>(in - code));
  run.services().counters.add(run.services().count.step_limit);
  LOG(run.services().log, error, "{}:{}: the script took more than {} steps for one message; it ends here",
      program.files[run.state().script.file], run.state().script.line, run.services().settings.max_steps);
  return {How::failed, -1, nullptr};
}

template Ended Vm::loop<false>(Machine&, Run&, const std::int64_t*) noexcept;
template Ended Vm::loop<true>(Machine&, Run&, const std::int64_t*) noexcept;

}  // namespace ser::script
