// SPDX-License-Identifier: Apache-2.0
#include "txn/server_machine.h"

#include <algorithm>

namespace ser::txn {

namespace {

bool is_due(Instant deadline, Instant now) noexcept {
  return deadline != 0 && deadline <= now;
}

bool is_open(const ServerMachine& m) noexcept {
  return m.state == ServerState::trying || m.state == ServerState::proceeding;
}

ServerActions terminate(ServerMachine& m, ServerActions actions) noexcept {
  m.state = ServerState::terminated;
  m.send_at = 0;
  m.ends_at = 0;
  actions.done = true;
  return actions;
}

ServerActions linger(ServerMachine& m, ServerState state, Instant now, Instant duration,
                     ServerActions actions) noexcept {
  if (duration == 0) return terminate(m, actions);
  m.state = state;
  m.send_at = 0;
  m.ends_at = now + duration;
  return actions;
}

ServerActions start(ServerMachine& m, Instant now, const TimerValues& values) noexcept {
  if (m.state != ServerState::idle) return {};
  m.state = ServerState::trying;
  if (m.invite && values.trying_after == 0) return {.send_100 = true};
  m.send_at = now + (m.invite ? values.trying_after : values.non_invite_trying());
  return {};
}

ServerActions on_retransmission(ServerMachine& m) noexcept {
  switch (m.state) {
    case ServerState::trying:
      if (!m.invite) return {.absorb = true};
      m.send_at = 0;
      return {.send_100 = true, .absorb = true};
    case ServerState::proceeding:
      return {.send_reply = true, .absorb = true};
    case ServerState::completed:
      return {.send_reply = !m.silent, .absorb = true};
    case ServerState::confirmed:
    case ServerState::accepted:
      return {.absorb = true};
    case ServerState::idle:
    case ServerState::terminated:
      break;
  }
  return {};
}

ServerActions on_ack(ServerMachine& m, Instant now, const TimerValues& values) noexcept {
  switch (m.state) {
    case ServerState::completed:
      if (!m.invite || m.silent) return {.absorb = true};
      return linger(m, ServerState::confirmed, now, values.i(m.reliable), {.absorb = true});
    case ServerState::accepted:
      return {.pass_up = true};
    case ServerState::trying:
    case ServerState::proceeding:
    case ServerState::confirmed:
      return {.absorb = true};
    case ServerState::idle:
    case ServerState::terminated:
      break;
  }
  return {};
}

ServerActions on_provisional_sent(ServerMachine& m) noexcept {
  if (!is_open(m)) return {};
  m.state = ServerState::proceeding;
  m.send_at = 0;
  return {};
}

ServerActions on_final_sent(ServerMachine& m, bool success, Instant now, const TimerValues& values) noexcept {
  if (!is_open(m)) return {};
  if (!m.invite) return linger(m, ServerState::completed, now, values.j(m.reliable), {});
  if (success) return linger(m, ServerState::accepted, now, values.l(), {});
  // H is not among the timers that a reliable transport makes 0: an ACK is owed there, too.
  const ServerActions actions = linger(m, ServerState::completed, now, values.h(), {});
  if (actions.done) return actions;
  m.interval = values.g(m.reliable);
  m.send_at = m.interval != 0 ? now + m.interval : 0;
  return actions;
}

ServerActions on_silence(ServerMachine& m, Instant now, const TimerValues& values) noexcept {
  if (!is_open(m)) return {};
  m.silent = true;
  return linger(m, ServerState::completed, now, m.invite ? values.l() : values.j(m.reliable), {});
}

ServerActions on_clock(ServerMachine& m, Instant now, const TimerValues& values) noexcept {
  if (is_due(m.ends_at, now)) {
    const bool waits_for_ack = m.invite && m.state == ServerState::completed && !m.silent;
    return terminate(m, {.ack_missing = waits_for_ack});
  }
  if (!is_due(m.send_at, now)) return {};
  if (m.state == ServerState::trying) {
    m.send_at = 0;
    return {.send_100 = true};
  }
  m.interval = std::min(m.interval * 2, values.t2);
  // As in the client machine: late clocks neither stretch the intervals nor make up for missed ones.
  m.send_at += m.interval;
  if (m.send_at <= now) m.send_at = now + std::max<Instant>(m.interval, 1);
  return {.send_reply = true};
}

}  // namespace

ServerActions step(ServerMachine& machine, ServerEvent event, Instant now,
                   const TimerValues& values) noexcept {
  switch (event.kind) {
    case ServerEvent::Kind::start:
      return start(machine, now, values);
    case ServerEvent::Kind::retransmission:
      return on_retransmission(machine);
    case ServerEvent::Kind::ack:
      return on_ack(machine, now, values);
    case ServerEvent::Kind::provisional:
      return on_provisional_sent(machine);
    case ServerEvent::Kind::success:
    case ServerEvent::Kind::failure:
      return on_final_sent(machine, event.kind == ServerEvent::Kind::success, now, values);
    case ServerEvent::Kind::silence:
      return on_silence(machine, now, values);
    case ServerEvent::Kind::clock:
      return on_clock(machine, now, values);
    case ServerEvent::Kind::transport_error:
      return {};
  }
  return {};
}

Instant next_due(const ServerMachine& machine) noexcept {
  if (machine.send_at == 0 || machine.ends_at == 0) return machine.send_at | machine.ends_at;
  return std::min(machine.send_at, machine.ends_at);
}

bool may_send(const ServerMachine& machine, std::uint16_t status, Instant now) noexcept {
  if (!machine.invite && status == 408) return false;
  switch (machine.state) {
    case ServerState::trying:
      if (status >= 200 || machine.invite) return true;
      return status == 100 && (machine.reliable || machine.send_at == 0 || machine.send_at <= now);
    case ServerState::proceeding:
      return status >= 200 || machine.invite || status == 100;
    case ServerState::completed:
    case ServerState::confirmed:
    case ServerState::accepted:
      return machine.invite && !machine.silent && status >= 200 && status < 300;
    case ServerState::idle:
    case ServerState::terminated:
      break;
  }
  return false;
}

}  // namespace ser::txn
