// SPDX-License-Identifier: Apache-2.0
#include "txn/client_machine.h"

#include <algorithm>

namespace ser::txn {

namespace {

bool is_due(Instant deadline, Instant now) noexcept {
  return deadline != 0 && deadline <= now;
}

Instant timeout(Instant now, Instant duration, const TimerValues& values) noexcept {
  const Instant at = now + duration;
  return values.latest != 0 ? std::min(at, values.latest) : at;
}

ClientActions terminate(ClientMachine& m, ClientActions actions) noexcept {
  m.state = ClientState::terminated;
  m.retransmit_at = 0;
  m.ends_at = 0;
  actions.done = true;
  return actions;
}

/// A state that only absorbs, for `duration`; over at once when that is 0.
ClientActions linger(ClientMachine& m, ClientState state, Instant now, Instant duration,
                     ClientActions actions) noexcept {
  if (duration == 0) return terminate(m, actions);
  m.state = state;
  m.retransmit_at = 0;
  m.ends_at = now + duration;
  return actions;
}

ClientActions start(ClientMachine& m, Instant now, const TimerValues& values) noexcept {
  if (m.state != ClientState::idle) return {};
  m.state = ClientState::calling;
  m.interval = m.invite ? values.a(m.reliable) : values.e(m.reliable);
  m.retransmit_at = m.interval != 0 ? now + m.interval : 0;
  m.ends_at = timeout(now, values.fr, values);
  return {.send_request = true};
}

/// CANCEL goes out: from now on the final response has 64*T1 (RFC 3261 9.1).
ClientActions send_cancel(ClientMachine& m, Instant now, const TimerValues& values,
                          ClientActions actions) noexcept {
  m.cancelled = true;
  m.ends_at = now + values.after_cancel();
  actions.cancel = true;
  return actions;
}

ClientActions on_provisional(ClientMachine& m, std::uint16_t status, Instant now,
                             const TimerValues& values) noexcept {
  if (!is_pending(m)) return {};
  const bool first = m.state == ClientState::calling;
  m.state = ClientState::proceeding;
  ClientActions actions{.pass_up = !m.given_up};
  if (!m.invite) {
    // Timer E runs on; what it is armed with next is T2 (17.1.2.2). F runs on.
    m.interval = values.t2;
    return actions;
  }
  m.retransmit_at = 0;
  if (m.cancel_wanted && !m.cancelled) return send_cancel(m, now, values, actions);
  const bool restarts = first || status > 100 || values.restart_c;
  if (restarts && !m.cancelled) m.ends_at = timeout(now, values.fr_inv, values);
  return actions;
}

ClientActions on_success(ClientMachine& m, Instant now, const TimerValues& values) noexcept {
  if (m.state == ClientState::accepted) return {.pass_up = true};
  if (m.invite) {
    if (!is_pending(m) && m.state != ClientState::completed) return {};
    return linger(m, ClientState::accepted, now, values.m(), {.pass_up = true});
  }
  if (!is_pending(m)) return {};
  return linger(m, ClientState::completed, now, values.k(m.reliable), {.pass_up = !m.given_up});
}

ClientActions on_failure(ClientMachine& m, Instant now, const TimerValues& values) noexcept {
  if (m.state == ClientState::completed) return {.send_ack = m.invite};
  if (!is_pending(m)) return {};
  const Instant duration = m.invite ? values.d(m.reliable) : values.k(m.reliable);
  return linger(m, ClientState::completed, now, duration, {.send_ack = m.invite, .pass_up = !m.given_up});
}

/// B, F, C after CANCEL: no final response came.
ClientActions time_out(ClientMachine& m, Instant now, const TimerValues& values) noexcept {
  return linger(m, ClientState::completed, now, values.wait, {.timed_out = !m.given_up});
}

ClientActions retransmit(ClientMachine& m, Instant now, const TimerValues& values) noexcept {
  m.interval *= 2;
  if (!m.invite) {
    m.interval = m.state == ClientState::proceeding ? values.t2 : std::min(m.interval, values.t2);
  } else if (values.invite_interval_max != 0) {
    m.interval = std::min(m.interval, values.invite_interval_max);
  }
  // From when it was due, not from now, so that a late clock does not stretch the intervals; a clock that is
  // late by more than one of them makes up for none.
  m.retransmit_at += m.interval;
  if (m.retransmit_at <= now) m.retransmit_at = now + std::max<Instant>(m.interval, 1);
  return {.send_request = true};
}

ClientActions on_clock(ClientMachine& m, Instant now, const TimerValues& values) noexcept {
  if (is_due(m.ends_at, now)) {
    if (!is_pending(m)) return terminate(m, {});
    if (m.invite && m.state == ClientState::proceeding && !m.cancelled) {
      return send_cancel(m, now, values, {});
    }
    return time_out(m, now, values);
  }
  if (is_due(m.retransmit_at, now)) return retransmit(m, now, values);
  return {};
}

ClientActions on_transport_error(ClientMachine& m) noexcept {
  const bool waits = m.state == ClientState::calling || (m.state == ClientState::proceeding && !m.invite);
  if (!waits) return {};
  return terminate(m, {.failed = !m.given_up});
}

ClientActions on_cancel(ClientMachine& m, Instant now, const TimerValues& values) noexcept {
  if (!m.invite || !is_pending(m) || m.cancelled) return {};
  m.cancel_wanted = true;
  return m.state == ClientState::proceeding ? send_cancel(m, now, values, {}) : ClientActions{};
}

ClientActions on_give_up(ClientMachine& m, Instant now, const TimerValues& values) noexcept {
  if (!is_pending(m)) return {};
  m.given_up = true;
  // An INVITE that got lost is better not sent again; one that arrived will be answered by a provisional
  // response, and that by CANCEL.
  m.retransmit_at = 0;
  if (m.invite) return on_cancel(m, now, values);
  return linger(m, ClientState::completed, now, values.k(m.reliable), {});
}

}  // namespace

ClientActions step(ClientMachine& machine, ClientEvent event, Instant now,
                   const TimerValues& values) noexcept {
  switch (event.kind) {
    case ClientEvent::Kind::start:
      return start(machine, now, values);
    case ClientEvent::Kind::provisional:
      return on_provisional(machine, event.status, now, values);
    case ClientEvent::Kind::success:
      return on_success(machine, now, values);
    case ClientEvent::Kind::failure:
      return on_failure(machine, now, values);
    case ClientEvent::Kind::clock:
      return on_clock(machine, now, values);
    case ClientEvent::Kind::transport_error:
      return on_transport_error(machine);
    case ClientEvent::Kind::cancel:
      return on_cancel(machine, now, values);
    case ClientEvent::Kind::give_up:
      return on_give_up(machine, now, values);
  }
  return {};
}

Instant next_due(const ClientMachine& machine) noexcept {
  if (machine.retransmit_at == 0 || machine.ends_at == 0) return machine.retransmit_at | machine.ends_at;
  return std::min(machine.retransmit_at, machine.ends_at);
}

void restart_timeout(ClientMachine& machine, Instant now, const TimerValues& values) noexcept {
  if (!is_pending(machine) || machine.cancelled) return;
  const bool rings = machine.invite && machine.state == ClientState::proceeding;
  machine.ends_at = timeout(now, rings ? values.fr_inv : values.fr, values);
}

}  // namespace ser::txn
