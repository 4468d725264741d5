// SPDX-License-Identifier: Apache-2.0
#include "srv/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proxy/forward.h"
#include "proxy/hop_edits.h"
#include "proxy/local_reply.h"
#include "proxy/via_token.h"
#include "sip/hdr.h"
#include "srv/receive_checks.h"

namespace ser::srv {

using proxy::RouteKind;
using proxy::Run;
using proxy::RunState;
using script::Ended;
using shm::Stage;

namespace {

/// Trailing NULs are padding (SER row "main loop") unless Content-Length counts them: then they are the end
/// of the body. `stripped` is the datagram without them, `whole` with them; both begin alike, so that `lines`
/// holds for either. Null as Message::parse() refuses.
sip::Message* with_counted_nuls(sip::Message* message, std::string_view stripped, std::string_view whole,
                                Arena& arena, const sip::LineIndex& lines) noexcept {
  const auto length = message->content_length();
  const std::size_t have = message->body().size();
  if (!length || *length <= have) return message;
  const std::size_t missing = std::min<std::size_t>(*length - have, whole.size() - stripped.size());
  sip::StartLineError ignored;  // said at the first parse
  const auto parsed =
      sip::Message::parse(whole.substr(0, stripped.size() + missing), arena, &ignored, &lines);
  return parsed ? *parsed : nullptr;
}

/// The requests that begin something new unless they have a To tag: what a server without room says no to.
bool may_begin(sip::Method method) noexcept {
  return method == sip::Method::invite || method == sip::Method::register_ ||
         method == sip::Method::subscribe;
}

}  // namespace

Pipeline::Pipeline(proxy::Services& services, script::Vm& vm, std::span<mod::Loaded> modules,
                   shm::WorkerSlot* slot)
    : x_services(services), x_vm(vm), x_slot(slot) {
  services.routes = this;
  for (mod::Loaded& loaded : modules) {
    if (loaded.spec->has(mod::Hook::pre_script)) x_pre.push_back(loaded.module.get());
    if (loaded.spec->has(mod::Hook::post_script)) x_post.push_back(loaded.module.get());
    if (loaded.spec->has(mod::Hook::response)) x_response.push_back(loaded.module.get());
    if (loaded.spec->has(mod::Hook::after_flush)) x_flushed.push_back(loaded.module.get());
  }
}

bool Pipeline::screen(std::string_view bytes, const RxPacket& packet, sip::LineIndex& lines) noexcept {
  const proxy::CoreCounters& c = x_services.count;
  if (bytes.size() > x_services.settings.max_message_size) {
    count(c.too_large);
    return false;
  }
  switch (check_datagram(bytes, x_services.settings.receive_checks, lines)) {
    [[likely]] case DatagramKind::sip:
      return true;
    case DatagramKind::keepalive:
      count(c.keepalives);
      break;
    case DatagramKind::runt:
      count(c.runts);
      break;
    case DatagramKind::bad_start_line:
      count(c.check_start_line);
      break;
    case DatagramKind::bad_version:
      count(c.check_version);
      break;
    case DatagramKind::no_blank_line:
      count(c.check_no_blank_line);
      break;
    case DatagramKind::bare_cr:
      count(c.check_bare_cr);
      break;
  }
  LOG(x_services.log, debug, "datagram of {} bytes from {} is no SIP message, dropped", bytes.size(),
      print(packet.from).view());
  return false;
}

void Pipeline::count_received(const sip::Message& message) noexcept {
  const proxy::CoreCounters& c = x_services.count;
  if (message.is_request()) {
    count(c.received_requests);
    switch (message.method()) {
      case sip::Method::invite:
        count(c.received_invite);
        break;
      case sip::Method::ack:
        count(c.received_ack);
        break;
      case sip::Method::cancel:
        count(c.received_cancel);
        break;
      case sip::Method::bye:
        count(c.received_bye);
        break;
      case sip::Method::other:
        count(c.unsupported_method);
        [[fallthrough]];
      default:
        count(c.received_other);
        break;
    }
    return;
  }
  count(c.received_replies);
  const CounterId classes[] = {c.received_1xx, c.received_2xx, c.received_3xx,
                               c.received_4xx, c.received_5xx, c.received_6xx};
  count(classes[message.status() / 100 - 1]);
}

void Pipeline::receive(const RxPacket& packet, Arena& arena) noexcept {
  stage(Stage::parsing);
  x_last_headers_indexed = 0;
  sip::LineIndex lines;
  const std::string_view whole = strip_leading_lines(packet.bytes);
  const std::string_view bytes = strip_trailing_nul(whole);
  if (!screen(bytes, packet, lines)) return;

  // Responses finish what was begun; and while memory is scarce, what is to be refused must be read first.
  const bool reserve = x_admission == Admission::memory || begins_with(bytes, "SIP/2.0");
  set_priority(reserve ? shm::Priority::reserve : shm::Priority::normal);
  sip::StartLineError bad_start;
  const auto parsed = sip::Message::parse(bytes, arena, &bad_start, &lines);
  sip::Message* message = parsed ? *parsed : nullptr;
  if (message != nullptr && whole.size() != bytes.size()) [[unlikely]]
    message = with_counted_nuls(message, bytes, whole, arena, lines);
  RunState* state = message != nullptr ? arena.make<RunState>(message, packet) : nullptr;
  if (state == nullptr) [[unlikely]] {
    const bool memory = parsed || parsed.error().code == Errc::no_memory;
    count(memory ? x_services.count.arena_exhausted : x_services.count.bad_first_line);
    LOG(x_services.log, info, "message from {} dropped: {}", print(packet.from).view(),
        memory ? "out of memory" : parsed.error().what);
    return;
  }
  state->rx.bytes = message->bytes();
  process(*state, bad_start.error);
}

/// The message is read as far as its start line: what becomes of it.
void Pipeline::process(RunState& state, const Error& bad_start) noexcept {
  if (x_slot != nullptr) x_slot->script.store(&state.script, std::memory_order_relaxed);
  Run run(state, x_services);
  count_received(run.message());
  const auto top = run.message().via(0);
  if (!top) {
    // Without a first Via there is nobody to answer (SER row receive_msg; RFC 3261 18.2.1).
    count(x_services.count.bad_via);
    count(run.is_request() ? x_services.count.err_requests : x_services.count.err_replies);
    LOG(x_services.log, info, "message from {} without a good first Via dropped: {}",
        print(state.rx.from).view(), top.error().what);
    return;
  }
  state.kind = run.is_request() ? RouteKind::request : RouteKind::reply;
  if (x_admission != Admission::open && refuse(run)) [[unlikely]]
    return;
  if (x_vm.program().log_prefix != UINT32_MAX) {
    state.log_prefix = x_vm.log_prefix(run);
    x_services.log.set_prefix(state.log_prefix);
  }
  if (bad_start.code != Errc::none) {
    answer_bad_request(run, bad_start);
  } else if (pre_script(run) && (run.is_request() ? handle_request(run) : handle_response(run))) [[likely]] {
    // Before the hooks: one of them may put the message down (proxy::put_down).
    x_last_headers_indexed = run.message().headers_indexed();
    post_script(run);
  }
  x_services.log.set_prefix({});
}

/// When the server is about to stop, health checks are refused too: who balances load shall send it
/// elsewhere.
bool Pipeline::is_refused(Run& run) noexcept {
  const sip::Method method = run.message().method();
  if (x_admission != Admission::closing) return may_begin(method);
  if (method == sip::Method::ack || method == sip::Method::cancel) return false;
  return x_services.transactions == nullptr || !x_services.transactions->knows(run);
}

/// While there is no room: answers what would begin something new, and says with the memory at hand what the
/// rest may use. Requests inside of a dialog, responses, CANCEL and OPTIONS (health checks) go on.
bool Pipeline::refuse(Run& run) noexcept {
  if (!run.is_request()) return false;
  const auto to = run.message().get<sip::hdr::To>();
  const bool in_dialog = to && !(*to)->tag.empty();
  if (!in_dialog) set_priority(shm::Priority::normal);
  if (in_dialog || !is_refused(run)) return false;
  RunState& state = run.state();
  const proxy::CoreCounters& c = x_services.count;
  count(x_admission == Admission::memory    ? c.refused_memory
        : x_admission == Admission::closing ? c.refused_closing
                                            : c.refused_overload);
  state.received_needed = proxy::needs_received(x_services, state.rx, **run.message().via(0));
  // The callers come back one by one, and a retransmission gets the same answer.
  const std::uint64_t least = x_services.settings.overload_retry_after;
  const std::uint64_t seconds = least + proxy::local_to_tag(x_services, run.message()) % (least + 1);
  std::array<char, 40> header{};
  const auto end = fmt::format_to_n(header.data(), header.size(), "Retry-After: {}\r\n", seconds);
  proxy::LocalReply reply;
  reply.status = 503;
  reply.headers = {header.data(), end.size};
  if (auto sent = proxy::send_local_reply(run, reply); !sent) count(x_services.count.err_requests);
  return true;
}

void Pipeline::answer_bad_request(Run& run, const Error& error) noexcept {
  count(x_services.count.bad_first_line);
  count(x_services.count.err_requests);
  LOG(x_services.log, info, "bad start line from {}: {}", print(run.state().rx.from).view(), error.what);
  if (!run.is_request()) return;
  run.state().received_needed = proxy::needs_received(x_services, run.state().rx, **run.message().via(0));
  proxy::LocalReply reply;
  reply.status = error.code == Errc::version ? 505 : 400;
  // A refusal (ACK, no address to answer to) leaves the message dropped and counted above.
  static_cast<void>(proxy::send_local_reply(run, reply));
}

void Pipeline::flushed() noexcept {
  for (mod::Module* module : x_flushed) module->after_flush(x_services);
}

bool Pipeline::pre_script(Run& run) noexcept {
  if (x_pre.empty()) return true;
  stage(Stage::pre_script);
  for (mod::Module* module : x_pre) {
    if (module->pre_script(run)) continue;
    count(x_services.count.prescript_drops);
    count(run.is_request() ? x_services.count.dropped_requests : x_services.count.dropped_replies);
    return false;
  }
  return true;
}

void Pipeline::post_script(Run& run) noexcept {
  if (x_post.empty()) return;
  stage(Stage::post_script);
  for (mod::Module* module : x_post) module->post_script(run);
}

bool Pipeline::handle_request(Run& run) noexcept {
  RunState& state = run.state();
  state.received_needed = proxy::needs_received(x_services, state.rx, **run.message().via(0));
  // Without sl in the configuration nobody else knows the ACK to a 503 or 400 of the core's.
  if (run.message().method() == sip::Method::ack && proxy::is_ack_to_local_reply(run)) {
    count(x_services.count.absorbed_acks);
    return true;
  }
  stage(Stage::script);
  count(x_services.count.script_runs);
  return finish_request(run, x_vm.run(x_vm.program().request, run));
}

bool Pipeline::finish_request(Run& run, Ended ended) noexcept {
  if (ended.how == Ended::How::suspended && park_script(run, ended, Phase::request_route)) [[unlikely]]
    return false;
  answer_if_silent(run, ended.how);
  if (ended.how == Ended::How::dropped && !run.state().sent) count(x_services.count.dropped_requests);
  return true;
}

/// A request that could not be sent on, or whose script broke off, is answered: silence would make the client
/// retransmit it for 32 seconds. A script that answered or sent something, or dropped the request on purpose,
/// is left alone.
void Pipeline::answer_if_silent(Run& run, Ended::How how) noexcept {
  RunState& state = run.state();
  if (state.sent || run.message().method() == sip::Method::ack) return;
  proxy::LocalReply reply;
  if (how == Ended::How::failed) {
    reply.status = 500;
  } else if (state.last_error.status != 0) {
    reply.status = state.last_error.status;
    reply.reason = state.last_error.reason;
  } else {
    return;
  }
  if (reply.status == 503) reply.headers = "Retry-After: 2\r\n";
  if (auto sent = proxy::send_local_reply(run, reply); !sent) count(x_services.count.err_requests);
}

bool Pipeline::handle_response(Run& run) noexcept {
  RunState& state = run.state();
  const sip::Via& top = **run.message().via(0);
  const auto token = proxy::read_token(x_services.via_key, run.message());
  state.via_is_ours = token.has_value();
  state.stray_response = !token.has_value();
  if (token) {
    state.via_branch_index = token->branch_index;
    state.via_is_stateful = token->kind == proxy::ViaToken::Kind::stateful;
    state.via_cell = token->cell;
    state.via_generation = token->generation;
  }
  if (x_services.settings.check_via &&
      !x_services.sockets.is_myself(top.host, top.port != 0 ? top.port : std::uint16_t{5060})) {
    count(x_services.count.stray_replies);
    count(x_services.count.dropped_replies);
    return true;
  }
  if (x_vm.program().reply == script::kNoBlock) return pass_response_on(run);
  stage(Stage::script);
  count(x_services.count.script_runs);
  return finish_reply_route(run, x_vm.run(x_vm.program().reply, run));
}

bool Pipeline::finish_reply_route(Run& run, Ended ended) noexcept {
  if (ended.how == Ended::How::suspended && park_script(run, ended, Phase::reply_route)) [[unlikely]]
    return false;
  if (ended.how == Ended::How::dropped || ended.how == Ended::How::failed) {
    count(x_services.count.dropped_replies);
    return true;
  }
  return pass_response_on(run);
}

bool Pipeline::pass_response_on(Run& run) noexcept {
  stage(Stage::response);
  for (mod::Module* module : x_response) {
    if (module->on_response(run) == mod::ResponseVerdict::absorb) return true;
  }
  return forward_response(run);
}

bool Pipeline::forward_response(Run& run) noexcept {
  stage(Stage::forward);
  auto sent = proxy::forward_response(run);
  if (!sent && sent.error().code == Errc::suspended) [[unlikely]] {
    if (park(run, nullptr, Phase::forward_response)) return false;
    run.state().wait_is_over = true;
    sent = proxy::forward_response(run);
  }
  if (!sent) {
    LOG(x_services.log, debug, "response from {} not forwarded: {}", print(run.state().rx.from).view(),
        sent.error().what);
  }
  return true;
}

bool Pipeline::park(Run& run, script::Machine* machine, Phase phase) noexcept {
  if (x_services.shared == nullptr || x_services.shared->suspender == nullptr) return false;
  const std::uint64_t progress = machine != nullptr ? machine->progress() : 0;
  // Nothing of the run may be looked at once it is parked: who resumes it may have ended it already.
  const bool put_aside = phase == Phase::request_route && run.state().has_transaction();
  if (!x_services.shared->suspender->park(run, {machine, progress, static_cast<std::uint8_t>(phase)}))
    return false;
  // Of a transaction it is not parked before this.
  if (put_aside) x_services.transactions->put_aside(run);
  // Another worker may be at work on it already: we have no message in hand.
  if (phase != Phase::transaction_route) stage(Stage::none);
  return true;
}

/// False: the run cannot wait any more, or at all, and has gone on to its end without the answer.
bool Pipeline::park_script(Run& run, Ended& ended, Phase phase) noexcept {
  while (ended.how == Ended::How::suspended) {
    if (phase == Phase::request_route && x_services.transactions != nullptr &&
        !x_services.transactions->begin_pending(run)) {
      // Somebody is at work on the same request: that one answers.
      run.state().last_error = {};
      ended = {Ended::How::exited, 0, nullptr};
      return false;
    }
    if (park(run, ended.machine, phase)) return true;
    ended = ended.machine->again ? x_vm.call_again(*ended.machine, run, true)
                                 : x_vm.resume(*ended.machine, run, mod::Outcome::no());
  }
  return false;
}

proxy::RouteEnd Pipeline::run_route(std::uint16_t block, Run& run) noexcept {
  return end_route(run, x_vm.run(block, run));
}

/// How a transaction's route has ended; or it waits.
proxy::RouteEnd Pipeline::end_route(Run& run, Ended ended) noexcept {
  if (ended.how == Ended::How::suspended && park_script(run, ended, Phase::transaction_route)) [[unlikely]]
    return proxy::RouteEnd::suspended;
  switch (ended.how) {
    case Ended::How::dropped:
      return proxy::RouteEnd::dropped;
    case Ended::How::failed:
    case Ended::How::suspended:
      return proxy::RouteEnd::failed;
    case Ended::How::returned:
    case Ended::How::exited:
      break;
  }
  return proxy::RouteEnd::done;
}

Ended Pipeline::continue_script(Run& run, const proxy::SuspendedRun& suspended,
                                const proxy::Answer& answer) noexcept {
  auto* machine = static_cast<script::Machine*>(suspended.machine);
  return machine->again ? x_vm.call_again(*machine, run, answer.expired)
                        : x_vm.resume(*machine, run, {answer.code, mod::Outcome::Flow::next});
}

bool Pipeline::go_on(Run& run, const proxy::SuspendedRun& suspended, const proxy::Answer& answer) noexcept {
  const auto phase = static_cast<Phase>(suspended.phase);
  if (phase == Phase::forward_response) {
    run.state().wait_is_over = answer.expired;
    return forward_response(run);
  }
  const Ended ended = continue_script(run, suspended, answer);
  return phase == Phase::request_route ? finish_request(run, ended) : finish_reply_route(run, ended);
}

/// The rest of a transaction's route.
class Pipeline::Rest final : public proxy::RestOfRoute {
 public:
  Rest(Pipeline& pipeline, const proxy::SuspendedRun& suspended, const proxy::Answer& answer) noexcept
      : x_pipeline(pipeline), x_suspended(suspended), x_answer(answer) {}
  proxy::RouteEnd go_on(Run& run) noexcept override {
    return x_pipeline.end_route(run, x_pipeline.continue_script(run, x_suspended, x_answer));
  }

 private:
  Pipeline& x_pipeline;
  const proxy::SuspendedRun& x_suspended;
  const proxy::Answer& x_answer;
};

/// A message whose run the pipeline itself began.
void Pipeline::resume_message(proxy::SuspendedRun& suspended, const proxy::Answer& answer) noexcept {
  proxy::SharedServices& shared = *x_services.shared;
  RunState& state = *suspended.message.state;
  const proxy::KeptMessage* kept =
      state.has_transaction() ? x_services.transactions->take_up(state) : &suspended.message;
  if (kept == nullptr) return shared.suspender->let_go();
  Arena arena(kept->arena, shared.chunks);
  state.message->set_arena(arena);
  if (state.edits != nullptr) state.edits->set_arena(arena);
  Run run(state, x_services);
  if (!go_on(run, suspended, answer)) return;
  post_script(run);
  shared.suspender->finish(arena);
}

void Pipeline::resume(proxy::SuspendedRun& suspended, const proxy::Answer& answer) noexcept {
  RunState& state = *suspended.message.state;
  if (x_slot != nullptr) x_slot->script.store(&state.script, std::memory_order_relaxed);
  stage(Stage::resume);
  // What was begun shall end, also while memory is scarce.
  set_priority(shm::Priority::reserve);
  x_services.log.set_prefix(state.log_prefix);
  if (static_cast<Phase>(suspended.phase) == Phase::transaction_route) {
    Rest rest(*this, suspended, answer);
    x_services.transactions->resume(suspended, rest);
  } else {
    resume_message(suspended, answer);
  }
  x_services.log.set_prefix({});
  stage(Stage::none);
}

}  // namespace ser::srv
