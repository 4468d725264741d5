// SPDX-License-Identifier: Apache-2.0
#include "modules/sl/sl.h"

#include <array>

#include "base/text.h"
#include "proxy/forward.h"
#include "proxy/local_reply.h"

namespace ser::modules {

namespace {

using mod::Outcome;
using proxy::RouteKind;

struct SlConfig {
  std::int32_t default_code = 500;
  std::string default_reason = "Internal Server Error";
  bool bind_tm = true;
  std::int32_t rich_redirect = 0;
  std::string event_callback;
  std::string event_callback_fl_ack;
  std::string event_callback_lres_sent;
};

/// The statistics of the family, by name: those of one code, then what is left of each class.
constexpr std::array<std::pair<std::uint16_t, const char*>, 20> kReplyCounters{{
    {200, "200_replies"}, {202, "202_replies"}, {300, "300_replies"}, {301, "301_replies"},
    {302, "302_replies"}, {400, "400_replies"}, {401, "401_replies"}, {403, "403_replies"},
    {404, "404_replies"}, {407, "407_replies"}, {408, "408_replies"}, {483, "483_replies"},
    {500, "500_replies"}, {1, "1xx_replies"},   {2, "2xx_replies"},   {3, "3xx_replies"},
    {4, "4xx_replies"},   {5, "5xx_replies"},   {6, "6xx_replies"},   {0, "xxx_replies"},
}};
constexpr std::size_t kCodes = 13;

constexpr std::size_t counter_of(std::uint16_t status) noexcept {
  for (std::size_t i = 0; i < kCodes; ++i) {
    if (kReplyCounters[i].first == status) return i;
  }
  const std::size_t status_class = status / 100U;
  return status_class >= 1 && status_class <= 6 ? kCodes + status_class - 1 : kReplyCounters.size() - 1;
}

class Sl final : public mod::Module {
 public:
  using Config = SlConfig;
  explicit Sl(const SlConfig& config) : x_config(config) {}

  bool pre_script(proxy::Run& run) override { return !absorb_ack(run); }

  Outcome send_reply(proxy::Run& run, std::int64_t code, std::string_view reason) {
    if (code < 100 || code > 699) return Outcome::from(reply(run, default_code(), x_config.default_reason));
    return Outcome::from(reply(run, static_cast<std::uint16_t>(code), reason));
  }
  Outcome send_reply_mode(proxy::Run& run, std::int64_t code, std::string_view reason, std::int64_t) {
    return send_any_reply(run, code, reason);
  }
  Outcome send_any_reply(proxy::Run& run, std::int64_t code, std::string_view reason) {
    if (code < 100 || code > 699)
      return Outcome::from(reply(run, default_code(), x_config.default_reason, true));
    return Outcome::from(reply(run, static_cast<std::uint16_t>(code), reason, true));
  }
  Outcome send_any_error(proxy::Run& run) {
    const proxy::LastError& error = run.state().last_error;
    if (error.status != 0) return Outcome::from(reply(run, error.status, error.reason, true));
    return Outcome::from(reply(run, default_code(), x_config.default_reason, true));
  }
  Outcome reply_error(proxy::Run& run) {
    const proxy::LastError& error = run.state().last_error;
    if (error.status != 0) return Outcome::from(reply(run, error.status, error.reason));
    return Outcome::from(reply(run, default_code(), x_config.default_reason));
  }
  Outcome filter_ack(proxy::Run& run) { return absorb_ack(run) ? Outcome::stop() : Outcome::yes(); }

  Outcome forward_reply(proxy::Run& run, std::optional<std::int64_t> code,
                        std::optional<std::string_view> reason) {
    const sip::StartLine& line = run.message().start();
    sip::EditList* edits = run.edits();
    if (edits == nullptr) return Outcome::no();
    if (code && *code != line.status) {
      // Another class would be another answer: the transactions on the way would not expect it.
      if (*code / 100 != line.status / 100) return Outcome::no();
      std::array<char, 3> digits{};
      static_cast<void>(print_u64(digits.data(), static_cast<std::uint64_t>(*code)));
      const std::string_view old = line.line.substr(line.version.size() + 1, 3);
      if (!edits->replace(old, {digits.data(), digits.size()})) return Outcome::no();
    }
    if (reason && !sip::is_header_value(*reason)) return Outcome::no();
    if (reason && !reason->empty() && !edits->replace(line.reason, *reason)) return Outcome::no();
    return Outcome::from(static_cast<bool>(proxy::forward_response(run)));
  }

  std::array<CounterId, kReplyCounters.size()> x_replies;
  CounterId x_sent;
  CounterId x_sent_errors;
  CounterId x_failures;
  CounterId x_acks;

 private:
  std::uint16_t default_code() const noexcept { return static_cast<std::uint16_t>(x_config.default_code); }

  bool reply(proxy::Run& run, std::uint16_t status, std::string_view reason,
             bool through_transaction = false) {
    Counters& counters = run.services().counters;
    proxy::LocalReply local;
    local.status = status;
    local.reason = reason;
    local.add_contacts = status >= 300 && status < 400;
    if (through_transaction && x_config.bind_tm && run.state().transaction != nullptr &&
        run.services().transactions != nullptr) {
      return static_cast<bool>(run.services().transactions->reply(run, local));
    }
    if (const auto sent = proxy::send_local_reply(run, local); !sent) {
      counters.add(x_failures);
      LOG(run.services().log, info, "reply {} {} is not sent: {}", status, reason, sent.error().what);
      return false;
    }
    counters.add(x_sent);
    counters.add(x_replies[counter_of(status)]);
    if (status >= 400) counters.add(x_sent_errors);
    return true;
  }

  /// An ACK to a final reply of ours comes back with the To tag we gave: 16 hex digits, keyed on its branch.
  bool absorb_ack(proxy::Run& run) const {
    if (!proxy::is_ack_to_local_reply(run)) return false;
    run.services().counters.add(x_acks);
    return true;
  }

  SlConfig x_config;
};

void add_counters(mod::ModuleSpec& spec) {
  for (std::size_t i = 0; i < kReplyCounters.size(); ++i) {
    const auto& [code, name] = kReplyCounters[i];
    const std::string text(name, 3);
    std::string help =
        code >= 100 ? "Replies " + text + " sent." : "Other replies of class " + text + " sent.";
    if (code == 0) help = "Replies with a status of no known class sent.";
    spec.counters.push_back(
        {name, help, [i](mod::Module& module, CounterId id) { static_cast<Sl&>(module).x_replies[i] = id; }});
  }
}

}  // namespace

mod::ModuleSpec describe_sl() {
  constexpr proxy::RouteKinds kReplying =
      RouteKind::request | RouteKind::failure | RouteKind::branch | RouteKind::event | RouteKind::onreply;
  mod::ModuleSpec spec =
      mod::SpecBuilder<Sl>(
          "sl",
          "Answers requests without a transaction (a stateless user agent server, RFC 3261 8.2.7). The "
          "replies carry a "
          "To tag that proves itself; an ACK that comes back with it is dropped before the script sees it.")
          .param(&SlConfig::default_code, "default_code",
                 "Status used when a function is given one outside 100..699.", {400, 699})
          .param(&SlConfig::default_reason, "default_reason", "Reason phrase that goes with `default_code`.")
          .param(&SlConfig::bind_tm, "bind_tm",
                 "Whether `send_reply` answers through the request's transaction when it has one.")
          .param(&SlConfig::rich_redirect, "rich_redirect",
                 "Known for old files: branch flags (1) and path (2) in the Contact of a redirect are not "
                 "written.",
                 {0, 3})
          .param(&SlConfig::event_callback, "event_callback",
                 "Known for old files: names a function of an embedded language, of which there is none.")
          .param(&SlConfig::event_callback_fl_ack, "event_callback_fl_ack",
                 "Known for old files, as `event_callback`.")
          .param(&SlConfig::event_callback_lres_sent, "event_callback_lres_sent",
                 "Known for old files, as `event_callback`.")
          .function<&Sl::send_reply>("sl_send_reply",
                                     "Answers the request with this status and reason, without a transaction "
                                     "and without retransmission. A "
                                     "status of 300 to 399 carries the Request-URI, if it was changed, and "
                                     "the branch set as Contact. Lines of "
                                     "`append_to_reply()` go into it. An ACK is never answered. Example: "
                                     "`sl_send_reply(\"404\", \"Not Found\");`",
                                     {"code", "reason"}, kReplying, "1 sent, -1 not (an ACK, no way to send)")
          .function<&Sl::send_any_reply>("send_reply",
                                         "As `sl_send_reply()`, or through the transaction if there is one.",
                                         {"code", "reason"}, kReplying, "1 sent, -1 not")
          .function<&Sl::send_reply_mode>(
              "send_reply_mode", "As `send_reply()`; the bits of `mode` ask for ways through a transaction.",
              {"code", "reason", "mode"}, kReplying, "1 sent, -1 not")
          .function<&Sl::reply_error>(
              "sl_reply_error",
              "Answers with the status that fits what last went wrong for this request: 483 Too Many Hops, "
              "478 "
              "Unresolvable destination, 503 while a name is being looked up; else `default_code`.",
              {}, kReplying, "1 sent, -1 not")
          .function<&Sl::send_any_error>("send_reply_error",
                                         "As `sl_reply_error()`, or through the transaction if there is one.",
                                         {}, kReplying, "1 sent, -1 not")
          .function<&Sl::filter_ack>("sl_filter_ACK",
                                     "Ends the script for an ACK to a reply of ours. Such ACKs are dropped "
                                     "before the script anyway; scripts of "
                                     "SER 0.8 call this.",
                                     {}, kinds(RouteKind::request), "1 the request is something else")
          .function<&Sl::forward_reply>(
              "sl_forward_reply",
              "Forwards the response at once by its second Via, with another status of the same class and "
              "another "
              "reason if given. Drop it afterwards, or it leaves again when the block ends.",
              {"code", "reason"}, RouteKind::reply | RouteKind::onreply, "1 forwarded, -1 not")
          .counter(&Sl::x_sent, "sent_replies", "Replies sent.")
          .counter(&Sl::x_sent_errors, "sent_err_replies", "Replies of 400 and above sent.")
          .counter(&Sl::x_failures, "failures", "Replies that could not be sent.")
          .counter(&Sl::x_acks, "received_ACKs", "ACKs to replies of ours, absorbed.")
          .hook(mod::Hook::pre_script)
          .hardened(
              "yes; a reply is no longer than its request by more than what the script adds, and only "
              "replies to "
              "where the request came from.")
          .done();
  add_counters(spec);
  return spec;
}

}  // namespace ser::modules
