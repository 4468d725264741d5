// SPDX-License-Identifier: Apache-2.0
#include "proxy/services.h"

namespace ser::proxy {

CoreCounters register_core_counters(CounterTable& table) {
  CoreCounters c;
  const auto add = [&](CounterId& id, std::string_view name, std::string_view help) {
    id = table.add("core", name, help);
  };
  add(c.received_requests, "rcv_requests", "Requests received.");
  add(c.received_replies, "rcv_replies", "Responses received.");
  add(c.received_invite, "rcv_requests_invite", "INVITE requests received.");
  add(c.received_ack, "rcv_requests_ack", "ACK requests received.");
  add(c.received_cancel, "rcv_requests_cancel", "CANCEL requests received.");
  add(c.received_bye, "rcv_requests_bye", "BYE requests received.");
  add(c.received_other, "rcv_requests_other", "Requests of other methods received.");
  add(c.received_1xx, "rcv_replies_1xx", "Provisional responses received.");
  add(c.received_2xx, "rcv_replies_2xx", "2xx responses received.");
  add(c.received_3xx, "rcv_replies_3xx", "3xx responses received.");
  add(c.received_4xx, "rcv_replies_4xx", "4xx responses received.");
  add(c.received_5xx, "rcv_replies_5xx", "5xx responses received.");
  add(c.received_6xx, "rcv_replies_6xx", "6xx responses received.");
  add(c.forwarded_requests, "fwd_requests", "Requests forwarded.");
  add(c.forwarded_replies, "fwd_replies", "Responses forwarded.");
  add(c.sent_replies, "sent_replies", "Responses made and sent here without a transaction.");
  add(c.dropped_requests, "drop_requests", "Requests dropped by the script or a callback.");
  add(c.dropped_replies, "drop_replies", "Responses dropped by the script or a callback.");
  add(c.err_requests, "err_requests", "Requests that could not be processed.");
  add(c.err_replies, "err_replies", "Responses that could not be processed.");
  add(c.bad_uri, "bad_uris_rcvd", "Requests whose URI could not be parsed when it was needed.");
  add(c.bad_via, "bad_via", "Messages without a good first Via.");
  add(c.bad_first_line, "bad_msg_hdr", "Datagrams whose start line is not SIP.");
  add(c.unsupported_method, "unsupported_methods", "Requests with a method not of the RFCs known here.");
  add(c.keepalives, "keepalives", "CRLF and NUL keep-alive datagrams.");
  add(c.runts, "runts", "Datagrams too short to be SIP.");
  add(c.check_start_line, "check_start_line", "receive_checks: start line not printable.");
  add(c.check_version, "check_version", "receive_checks: no SIP/ version in the start line.");
  add(c.check_no_blank_line, "check_no_blank_line", "receive_checks: header never ends.");
  add(c.check_bare_cr, "check_bare_cr", "receive_checks: CR without LF in the header.");
  add(c.stray_replies, "stray_replies", "Responses whose top Via is not ours by its token.");
  add(c.dns_pending, "dns_pending",
      "Times a message went without the address of a name that was not resolved yet.");
  add(c.dns_failed, "dns_failed", "Destinations whose name does not resolve.");
  add(c.send_refused, "send_refused", "Messages for which no socket fits the destination.");
  add(c.prescript_drops, "prescript_drops", "Messages dropped by a pre-script callback.");
  add(c.regex_limit, "regex_limit", "Regular expression matches that hit the match limit.");
  add(c.step_limit, "step_limit", "Script runs ended by the step limit.");
  add(c.arena_exhausted, "arena_exhausted", "Messages given up because their arena was exhausted.");
  add(c.script_microseconds, "script_microseconds", "Microseconds spent in the script.");
  add(c.script_runs, "script_runs", "Script runs.");
  add(c.too_large, "too_large", "Messages that would not fit into a datagram or max_message_size.");
  add(c.max_forwards_zero, "max_forwards_zero", "Requests answered 483.");
  add(c.loops, "loops", "Requests answered 482.");
  add(c.refused_overload, "refused_overload", "New requests answered 503 because of backlog.");
  add(c.refused_memory, "refused_memory", "New requests answered 503 because the segment was nearly full.");
  add(c.refused_closing, "refused_closing", "New requests answered 503 because the server is about to stop.");
  add(c.absorbed_acks, "absorbed_acks", "ACKs to replies the core made, dropped before the script.");
  c.suspended = table.add("core", "suspended", "Script runs that wait for something, now.", true);
  add(c.suspended_total, "suspended_total", "Times a script run was suspended.");
  add(c.suspended_timed_out, "suspended_timed_out",
      "Suspended script runs that went on without an answer, which did not come in time.");
  add(c.suspended_refused, "suspended_refused",
      "Times a script run could not be suspended: too many wait (max_suspended), or no memory.");
  return c;
}

}  // namespace ser::proxy
