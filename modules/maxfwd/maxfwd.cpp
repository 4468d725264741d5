// SPDX-License-Identifier: Apache-2.0
#include "modules/maxfwd/maxfwd.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "sip/hdr.h"

namespace ser::modules {

namespace {

using mod::Outcome;
using proxy::RouteKind;

struct MaxForwardsConfig {
  std::int32_t max_limit = 70;
};

constexpr std::string_view kName = "Max-Forwards: ";

class MaxForwards final : public mod::Module {
 public:
  using Config = MaxForwardsConfig;
  explicit MaxForwards(const MaxForwardsConfig& config)
      : x_limit(static_cast<std::uint32_t>(config.max_limit)) {}

  Outcome process(proxy::Run& run, std::int64_t value) {
    proxy::RunState& state = run.state();
    if (state.max_forwards_done) return Outcome::yes();
    sip::EditList* edits = run.edits();
    if (edits == nullptr || value < 0 || value > 255) return Outcome::no(-2);
    const sip::HeaderField* field = run.message().find(sip::HeaderId::max_forwards);
    if (field == nullptr) return add(run, *edits, static_cast<std::uint32_t>(value));
    const auto hops = run.message().get<sip::hdr::MaxForwards>(*field);
    if (!hops) {
      run.fail(400, "Bad Max-Forwards");
      return Outcome::no(-2);
    }
    if ((*hops)->value == 0) {
      run.fail(483, "Too Many Hops");
      run.services().counters.add(x_zero);
      return Outcome::no();
    }
    std::array<char, 20> digits{};
    const std::size_t size = print_u64(digits.data(), outgoing((*hops)->value));
    if (!edits->replace(field->value(), {digits.data(), size})) return Outcome::no(-2);
    state.max_forwards_done = true;
    return Outcome::yes();
  }

  Outcome is_less(proxy::Run& run, std::int64_t limit) {
    const sip::HeaderField* field = run.message().find(sip::HeaderId::max_forwards);
    std::uint32_t value = 0;
    if (field != nullptr) {
      const auto hops = run.message().get<sip::hdr::MaxForwards>(*field);
      if (!hops) return Outcome::no(-3);
      value = run.state().max_forwards_done ? outgoing((*hops)->value) : (*hops)->value;
    } else if (const auto added = added_value(run); added) {
      value = *added;
    } else {
      return Outcome::no(-2);
    }
    return Outcome::from(static_cast<std::int64_t>(value) < limit);
  }

  CounterId x_zero;

 private:
  std::uint32_t outgoing(std::uint32_t received) const noexcept { return std::min(received - 1, x_limit); }

  /// At the top: below our own Via, before anything else is indexed.
  static Outcome add(proxy::Run& run, sip::EditList& edits, std::uint32_t value) {
    const auto top = run.message().via(0);
    if (!top) return Outcome::no(-2);
    std::array<char, 48> line{};
    std::memcpy(line.data(), kName.data(), kName.size());
    std::size_t size = kName.size();
    size += print_u64(line.data() + size, value);
    std::memcpy(line.data() + size, "\r\n", 2);
    if (!edits.insert_at((*top)->field->offset(), {line.data(), size + 2})) return Outcome::no(-2);
    run.state().max_forwards_done = true;
    return Outcome::yes(2);
  }

  /// What add() wrote, read back from the edit: there is no other place that travels with the message.
  static std::optional<std::uint32_t> added_value(proxy::Run& run) {
    if (!run.state().max_forwards_done || run.state().edits == nullptr) return std::nullopt;
    for (const sip::Edit* edit = run.state().edits->first(); edit != nullptr; edit = edit->next) {
      if (edit->removed == 0 && edit->text.starts_with(kName))
        return parse_u32(trim(edit->text.substr(kName.size())));
    }
    return std::nullopt;
  }

  std::uint32_t x_limit;
};

}  // namespace

mod::ModuleSpec describe_maxfwd() {
  constexpr const char* kLessHelp =
      "Whether the Max-Forwards value is below `limit`. After `mf_process_maxfwd_header()` it is the value "
      "that leaves.";
  constexpr const char* kLessReturns =
      "1 below the limit, -1 equal or above, -2 there is no such header field, -3 it is malformed";
  constexpr const char* kProcessReturns =
      "1 decremented, 2 added, -1 it is 0, -2 it is malformed or something else failed";
  constexpr proxy::RouteKinds kRequest = kinds(RouteKind::request);
  return mod::SpecBuilder<MaxForwards>(
             "maxfwd",
             "Counts hops with the Max-Forwards header field, so that a loop ends (RFC 3261 16.3, 16.6).")
      .param(&MaxForwardsConfig::max_limit, "max_limit",
             "A higher value in a request is lowered to this one.", {1, 256})
      .function<&MaxForwards::process>(
          "mf_process_maxfwd_header",
          "Takes one hop off Max-Forwards, or adds the header field with `value` (0 to 255) when there is "
          "none. A second "
          "call for the same message changes nothing more. A forward without this call counts the hop "
          "itself. Example: "
          "`if (!mf_process_maxfwd_header(\"10\")) { sl_send_reply(\"483\", \"Too Many Hops\"); exit; }`",
          {"value"}, kRequest, kProcessReturns)
      .function<&MaxForwards::process>("maxfwd_process", "As `mf_process_maxfwd_header()`.", {"value"},
                                       kRequest, kProcessReturns)
      .function<&MaxForwards::process>("process_maxfwd", "As `mf_process_maxfwd_header()`.", {"value"},
                                       kRequest, kProcessReturns)
      .function<&MaxForwards::is_less>("is_maxfwd_lt", kLessHelp, {"limit"}, kRequest, kLessReturns)
      .function<&MaxForwards::is_less>("maxfwd_at_least", "As `is_maxfwd_lt()`.", {"limit"}, kRequest,
                                       kLessReturns)
      .function<&MaxForwards::is_less>("mf_lowlimit", "As `is_maxfwd_lt()`.", {"limit"}, kRequest,
                                       kLessReturns)
      .counter(&MaxForwards::x_zero, "zero", "Requests that came with Max-Forwards 0.")
      .hardened("yes; it reads one header field and writes one number.")
      .done();
}

}  // namespace ser::modules
