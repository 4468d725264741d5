// SPDX-License-Identifier: Apache-2.0
#include "modules/tm/tm.h"

#include "modules/tm/tm_module.h"

namespace ser::modules {

namespace {

using mod::SpecBuilder;
using proxy::RouteKind;

constexpr proxy::RouteKinds kRequest = RouteKind::request | RouteKind::failure;
constexpr proxy::RouteKinds kAnyOfTransaction =
    RouteKind::request | RouteKind::failure | RouteKind::branch | RouteKind::onreply;

void describe_params(SpecBuilder<Tm>& spec) {
  spec.param(&TmConfig::fr_timer, "fr_timer",
             "How long a branch waits for a final response (INVITE: for any response), in milliseconds; in "
             "SER's dialect seconds, as all timers here.",
             {1, 86'400'000})
      .param(&TmConfig::fr_inv_timer, "fr_inv_timer",
             "How long an INVITE's branch waits for a final response after a provisional one (timer C).",
             {1, 86'400'000})
      .param(&TmConfig::wt_timer, "wt_timer",
             "How long a finished transaction absorbs retransmissions; 0: as RFC 3261 and 6026 say (5 to 32 "
             "seconds).",
             {0, 3'600'000})
      .param(&TmConfig::retr_timer1, "retr_timer1", "First interval of retransmissions (T1).", {1, 60'000})
      .param(&TmConfig::retr_timer2, "retr_timer2", "Longest interval of retransmissions (T2).", {1, 60'000})
      .param(&TmConfig::retr_timer1p1, "retr_timer1p1",
             "SER 0.8's name of `retr_timer1`; the intervals after it double.", {0, 60'000})
      .param(&TmConfig::retr_timer1p2, "retr_timer1p2", "Known for old files: twice `retr_timer1p1`.",
             {0, 60'000})
      .param(&TmConfig::retr_timer1p3, "retr_timer1p3", "Known for old files: four times `retr_timer1p1`.",
             {0, 60'000})
      .param(&TmConfig::accepted, "delete_timer", "Known for old files; does nothing.")
      .param(&TmConfig::accepted, "noisy_ctimer",
             "Known for old files: a branch that rang too long is always cancelled and "
             "answered 408.")
      .param(&TmConfig::accepted_text, "uac_from", "Known for old files; does nothing.")
      .param(&TmConfig::max_inv_lifetime, "max_inv_lifetime",
             "Most time an INVITE's branches may wait in all; 0: no bound but the other timers.",
             {0, 86'400'000})
      .param(&TmConfig::max_noninv_lifetime, "max_noninv_lifetime",
             "As `max_inv_lifetime`, for other requests.", {0, 86'400'000})
      .param(
          &TmConfig::auto_inv_100, "auto_inv_100",
          "Answer an INVITE with 100 as soon as it is relayed; off: when 200 ms have passed without another "
          "answer.")
      .param(&TmConfig::auto_inv_100_reason, "auto_inv_100_reason", "Reason phrase of that 100.")
      .param(&TmConfig::remap_503_500, "remap_503_500",
             "Send 500 instead of a 503 that came from a branch (RFC 3261 16.7).")
      .param(&TmConfig::restart_fr_on_each_reply, "restart_fr_on_each_reply",
             "A further 100, too, begins `fr_inv_timer` anew.")
      .param(&TmConfig::e2e_cancel_reason, "e2e_cancel_reason",
             "The Reason fields of a caller's CANCEL go into ours (RFC 3326).")
      .param(&TmConfig::local_cancel_reason, "local_cancel_reason",
             "The CANCELs to the other branches say which final response came: `Reason: SIP;cause=200`.")
      .param(&TmConfig::failure_reply_mode, "failure_reply_mode",
             "3: responses of branches before a failure route are not looked at when the best one is chosen.",
             {0, 3});
}

void describe_relaying(SpecBuilder<Tm>& spec) {
  spec.function<&Tm::relay>(
          "t_relay",
          "Sends the request on, statefully: to its destination and every branch of the branch set, each a "
          "branch of the transaction. Makes the transaction if there is none. The ACK to a 2xx and a CANCEL "
          "of "
          "an unknown INVITE are forwarded without state; a CANCEL of a known one cancels its branches and "
          "is "
          "answered. With arguments: to that host only.",
          {"host", "port"}, kRequest,
          "1 sent, -1 not (see `sl_reply_error()`); a retransmission ends the script")
      .host_argument(0)
      .function<&Tm::relay>("t_relay_to", "As `t_relay(host, port)`.", {"host", "port"}, kRequest,
                            "as t_relay")
      .host_argument(0)
      .function<&Tm::relay>("t_relay_to_udp", "As `t_relay(host, port)`, over UDP.", {"host", "port"},
                            kRequest, "as t_relay")
      .host_argument(0)
      .function<&Tm::relay>("t_forward_nonack", "As `t_relay(host, port)`.", {"host", "port"}, kRequest,
                            "as t_relay")
      .host_argument(0)
      .function<&Tm::relay>("t_forward_nonack_udp", "As `t_relay(host, port)`, over UDP.", {"host", "port"},
                            kRequest, "as t_relay")
      .host_argument(0)
      .function<&Tm::relay_appended>("t_relay_appended",
                                     "Sends the request on to the branch set alone. SER 0.8.8 does so by "
                                     "itself where a `reply_route[n]` "
                                     "ends, and so it is there in each of them.",
                                     {}, kinds(RouteKind::failure),
                                     "1 sent, -1 nothing was appended, or not sent")
      .function<&Tm::replicate>("t_replicate", "Sends a copy of the request there as one more branch.",
                                {"host", "port"}, kRequest, "1 sent, -1 not")
      .host_argument(0)
      .function<&Tm::newtran>(
          "t_newtran", "Makes the transaction now, so that retransmissions are absorbed.", {},
          kinds(RouteKind::request),
          "1 made, -10 there is one, -1 not; a retransmission is answered and ends the script")
      .function<&Tm::reply>("t_reply",
                            "Answers through the transaction, which is made if there is none. A final answer "
                            "cancels all branches.",
                            {"code", "reason"}, kAnyOfTransaction, "1 sent, -1 not")
      .function<&Tm::reply>("t_reply_unsafe", "As `t_reply()`.", {"code", "reason"}, kAnyOfTransaction,
                            "1 sent, -1 not")
      .function<&Tm::reply>("t_send_reply", "As `t_reply()`.", {"code", "reason"}, kAnyOfTransaction,
                            "1 sent, -1 not")
      .function<&Tm::release>("t_release", "Forgets the transaction when the script ends.", {}, kRequest, "1")
      .function<&Tm::retransmit_reply>("t_retransmit_reply", "Sends the last answer again.", {}, kRequest,
                                       "1 sent, -1 there is none")
      .function<&Tm::relay_cancel>("t_relay_cancel",
                                   "A CANCEL of a known INVITE cancels it and ends the script.", {},
                                   kinds(RouteKind::request), "1 no CANCEL, -1 a CANCEL of an unknown INVITE")
      .function<&Tm::nothing_to_do>("t_newdlg", "Known for old files; does nothing.", {}, kRequest, "1")
      .function<&Tm::nothing_to_do>("t_save_lumps",
                                    "Known for old files: changes made before `t_relay()` are kept anyway.",
                                    {}, kRequest, "1");
}

void describe_control(SpecBuilder<Tm>& spec) {
  spec.function<&Tm::check_trans>(
          "t_check_trans",
          "A retransmission is answered, an ACK to a failure response absorbed: both end the script.", {},
          proxy::kAnyRoute, "1 a CANCEL of a known INVITE, or the ACK to its 2xx; -1 nothing known")
      .function<&Tm::precheck_trans>("t_precheck_trans", "Whether the same request is in work already.", {},
                                     kinds(RouteKind::request), "1 yes, -1 no")
      .function<&Tm::lookup_request>("t_lookup_request", "Whether there is a transaction of this request.",
                                     {}, kRequest, "1 yes, -1 no")
      .function<&Tm::lookup_cancel>("t_lookup_cancel", "Whether the INVITE of this CANCEL is known.", {},
                                    kRequest, "1 yes, -1 no")
      .function<&Tm::on_branch>("t_on_branch", "The block that runs for each branch before it is sent.",
                                {"route"}, kRequest, "1")
      .route_argument(0, kinds(RouteKind::branch))
      .function<&Tm::on_reply>("t_on_reply", "The block that runs for each response of a branch.", {"route"},
                               RouteKind::request | RouteKind::failure | RouteKind::branch, "1")
      .route_argument(0, kinds(RouteKind::onreply))
      .function<&Tm::on_failure>("t_on_failure",
                                 "The block that runs when all branches have failed, before the best "
                                 "response is sent. It runs once: arm it again in there.",
                                 {"route"}, kAnyOfTransaction, "1")
      .route_argument(0, kinds(RouteKind::failure))
      .function<&Tm::on_failure>("t_on_negative", "SER 0.8.8's name of `t_on_failure()`.", {"route"},
                                 kRequest, "1")
      .route_argument(0, kinds(RouteKind::failure))
      .function<&Tm::set_fr>("t_set_fr",
                             "Sets `fr_inv_timer` and `fr_timer` of this transaction; 0 leaves one as it is.",
                             {"fr_inv", "fr"}, kAnyOfTransaction, "1")
      .function<&Tm::reset_fr>("t_reset_fr", "Both timers as configured.", {}, kAnyOfTransaction, "1")
      .function<&Tm::set_max_lifetime>("t_set_max_lifetime",
                                       "Most time the branches may wait in all: INVITE, others; 0: no bound.",
                                       {"invite", "other"}, kAnyOfTransaction, "1")
      .function<&Tm::reset_max_lifetime>("t_reset_max_lifetime", "As configured.", {}, kAnyOfTransaction, "1")
      .function<&Tm::cancel_branches>(
          "t_cancel_branches",
          "Cancels branches: \"all\", \"this\" (the one of the response in hand) or \"others\".", {"which"},
          kAnyOfTransaction, "1 done, -1 there was none to cancel")
      .function<&Tm::load_contacts>(
          "t_load_contacts",
          "Takes the Request-URI and the branch set as contacts to be tried one after the other, those of "
          "the highest q first; `t_next_contacts()` brings them back.",
          {"mode"}, kinds(RouteKind::request), "1 done, -1 not")
      .function<&Tm::next_contacts>(
          "t_next_contacts",
          "The contacts of the highest q left become Request-URI and branch set, for `t_relay()`.", {},
          kRequest, "1 done, -2 there are none left, -1 not")
      .function<&Tm::drop_replies>("t_drop_replies",
                                   "Responses so far are not looked at when the best one is chosen; \"l\": "
                                   "those of the last branch stay.",
                                   {"which"}, kinds(RouteKind::failure), "1 done, -1 no transaction");
}

void describe_settings(SpecBuilder<Tm>& spec) {
  spec.function<&Tm::set_retr>("t_set_retr", "`retr_timer1` and `retr_timer2` of this transaction, in ms.",
                               {"t1", "t2"}, kAnyOfTransaction, "1")
      .function<&Tm::reset_retr>("t_reset_retr", "Both as configured.", {}, kAnyOfTransaction, "1")
      .function<&Tm::set_auto_inv_100>("t_set_auto_inv_100", "`auto_inv_100` of this transaction.", {"on"},
                                       kRequest, "1")
      .function<&Tm::set_no_e2e_cancel_reason>("t_set_no_e2e_cancel_reason",
                                               "1: the Reason of a caller's CANCEL does not go into ours.",
                                               {"off"}, kAnyOfTransaction, "1")
      .function<&Tm::set_no_e2e_cancel_reason>("t_disable_e2e_cancel_reason",
                                               "As `t_set_no_e2e_cancel_reason()`.", {"off"},
                                               kAnyOfTransaction, "1")
      .function<&Tm::accept_number>("t_set_disable_6xx",
                                    "Known for old files: a failure route may begin branches after a 6xx "
                                    "anyway.",
                                    {"on"}, kAnyOfTransaction, "1")
      .function<&Tm::accept_number>("t_set_disable_failover", "Known for old files; does nothing.", {"on"},
                                    kAnyOfTransaction, "1")
      .function<&Tm::accept_number>("t_set_disable_internal_reply", "Known for old files; does nothing.",
                                    {"on"}, kAnyOfTransaction, "1")
      .function<&Tm::flush_flags>("t_flush_flags",
                                  "Known for old files: flags set after `t_relay()` are the transaction's "
                                  "anyway.",
                                  {}, kAnyOfTransaction, "1 done, -1 no transaction")
      .function<&Tm::flush_flags>("t_flush_xflags", "As `t_flush_flags()`, for extended flags.", {},
                                  kAnyOfTransaction, "1 done, -1 no transaction");
}

void describe_questions(SpecBuilder<Tm>& spec) {
  spec.function<&Tm::is_retr_async_reply>("t_is_retr_async_reply",
                                          "Whether the response comes again while its first copy waits.", {},
                                          kinds(RouteKind::onreply), "-1: that does not happen here")
      .function<&Tm::is_set>("t_is_set",
                             "Whether \"branch_route\", \"failure_route\" or \"onreply_route\" is armed.",
                             {"what"}, proxy::kAnyRoute, "1 yes, -1 no")
      .function<&Tm::is_canceled>("t_is_canceled", "Whether the client sent CANCEL.", {}, kAnyOfTransaction,
                                  "1 yes, -1 no")
      .function<&Tm::is_expired>("t_is_expired", "Whether the lifetime of `t_set_max_lifetime()` has passed.",
                                 {}, kAnyOfTransaction, "1 yes, -1 no")
      .function<&Tm::any_replied>("t_any_replied",
                                  "Whether any branch got a response before the one at hand.", {},
                                  kAnyOfTransaction, "1 yes, -1 no")
      .function<&Tm::any_timeout>("t_any_timeout", "Whether any branch timed out.", {}, kAnyOfTransaction,
                                  "1 yes, -1 no")
      .function<&Tm::branch_replied>(
          "t_branch_replied", "Whether the branch that led here got a response before the one at hand.", {},
          kinds(RouteKind::failure), "1 yes, -1 no")
      .function<&Tm::branch_timeout>("t_branch_timeout", "Whether the branch that led here timed out.", {},
                                     kinds(RouteKind::failure), "1 yes, -1 no")
      .function<&Tm::check_status>("t_check_status",
                                   "Whether the status (of the response in hand, or that led to the failure "
                                   "route) matches the pattern.",
                                   {"pattern"}, kAnyOfTransaction, "1 yes, -1 no")
      .function<&Tm::grep_status>("t_grep_status", "Whether any branch has that status.", {"code"},
                                  kAnyOfTransaction, "1 yes, -1 no")
      .function<&Tm::status_code>("t_get_status_code", "The status, as return code.", {}, kAnyOfTransaction,
                                  "the status, -1 there is none")
      .function<&Tm::is_branch_route>("t_is_branch_route", "Whether a branch route runs.", {},
                                      proxy::kAnyRoute, "1 yes, -1 no")
      .function<&Tm::is_failure_route>("t_is_failure_route", "Whether a failure route runs.", {},
                                       proxy::kAnyRoute, "1 yes, -1 no")
      .function<&Tm::is_reply_route>("t_is_reply_route", "Whether a reply route runs.", {}, proxy::kAnyRoute,
                                     "1 yes, -1 no")
      .function<&Tm::is_request_route>("t_is_request_route", "Whether the request route runs.", {},
                                       proxy::kAnyRoute, "1 yes, -1 no");
  mod::VariableSpec code;
  code.name = "T_reply_code";
  code.help = "Status of the response in hand, or that led to the failure route; 0: none.";
  code.get = [](mod::Module& module, proxy::Run& run, std::string_view) {
    return static_cast<Tm&>(module).reply_code_value(run);
  };
  spec.variable(code);
  mod::VariableSpec reason;
  reason.name = "T_reply_reason";
  reason.help = "Reason phrase of the response in hand, or that led to the failure route.";
  reason.get = [](mod::Module& module, proxy::Run& run, std::string_view) {
    return static_cast<Tm&>(module).reply_reason_value(run);
  };
  spec.variable(reason);
  mod::VariableSpec last;
  last.name = "T_reply_last";
  last.help = "Status of the last response of that branch; 0: none.";
  last.get = [](mod::Module& module, proxy::Run& run, std::string_view) {
    return static_cast<Tm&>(module).reply_last_value(run);
  };
  spec.variable(last);
  mod::VariableSpec index;
  index.name = "T_branch_idx";
  index.help = "Index of the branch a branch or reply route runs for, from 0.";
  index.get = [](mod::Module& module, proxy::Run& run, std::string_view) {
    return static_cast<Tm&>(module).branch_index_value(run);
  };
  spec.variable(index);
}

void describe_counters(mod::ModuleSpec& spec) {
  using Counters = txn::EngineCounters;
  const auto add = [&spec](CounterId Counters::* member, const char* name, const char* help) {
    spec.counters.push_back({name, help, [member](mod::Module& module, CounterId id) {
                               static_cast<Tm&>(module).x_counters.*member = id;
                             }});
  };
  add(&Counters::created, "transactions", "Transactions made.");
  add(&Counters::finished, "finished", "Transactions that ended.");
  add(&Counters::answered, "answered", "Transactions that got their final response, or ended without one.");
  add(&Counters::local_replies, "local_replies", "Final responses made here.");
  add(&Counters::retransmissions, "retransmissions", "Requests that came again and were absorbed.");
  add(&Counters::requests_sent_again, "requests_sent_again", "Requests sent again by a timer.");
  add(&Counters::replies_sent_again, "replies_sent_again", "Final responses sent again by a timer.");
  add(&Counters::cancels, "cancels", "CANCELs sent to branches.");
  add(&Counters::timeouts, "timeouts", "Branches that timed out.");
  add(&Counters::stray_responses, "stray_responses", "Responses of transactions that are no more.");
  add(&Counters::waiting_full, "waiting_full",
      "Responses dropped because their transaction was busy and others waited.");
  add(&Counters::no_memory, "no_memory", "Times the segment had no room for a part of a transaction.");
}

}  // namespace

mod::ModuleSpec describe_tm() {
  SpecBuilder<Tm> spec(
      "tm",
      "Stateful proxying: transactions with retransmission, forking, failure routes and CANCEL "
      "(RFC 3261 16 and 17, RFC 6026).");
  spec.also_known_as({"tmx"});
  describe_params(spec);
  describe_relaying(spec);
  describe_control(spec);
  describe_settings(spec);
  describe_questions(spec);
  mod::ModuleSpec made = spec.hook(mod::Hook::post_script)
                             .hook(mod::Hook::response)
                             .hook(mod::Hook::after_flush)
                             .hardened(
                                 "yes; memory per transaction is bounded by the message, branches by 32, and "
                                 "responses prove themselves by their branch.")
                             .done();
  describe_counters(made);
  return made;
}

}  // namespace ser::modules
