// SPDX-License-Identifier: Apache-2.0
#include "modules/sanity/sanity.h"

#include "base/text.h"
#include "proxy/local_reply.h"
#include "sip/sanity.h"

namespace ser::modules {

namespace {

using mod::Outcome;
namespace check = sip::check;

struct SanityConfig {
  std::int64_t default_checks = check::kVersion | check::kScheme | check::kRequiredHeaders |
                                check::kCSeqMethod | check::kCSeqValue | check::kContentLength |
                                check::kExpires | check::kProxyRequire | check::kDigest;
  std::int64_t uri_checks = check::kUriRequest | check::kUriFrom | check::kUriTo;
  std::string proxy_require;
  bool autodrop = true;
  bool noreply = false;
};

class Sanity final : public mod::Module {
 public:
  using Config = SanityConfig;
  explicit Sanity(const SanityConfig& config) : x_config(config) {
    std::string_view rest = x_config.proxy_require;
    while (!rest.empty()) {
      const std::string_view tag = trim(split_off(rest, ','));
      if (!tag.empty()) x_supported.push_back(tag);
    }
  }

  Outcome run_checks(proxy::Run& run, std::optional<std::int64_t> checks, std::optional<std::int64_t> uris) {
    sip::SanityOptions options;
    options.checks = static_cast<std::uint32_t>(checks.value_or(x_config.default_checks));
    options.uris = static_cast<std::uint32_t>(uris.value_or(x_config.uri_checks));
    options.supported = x_supported;
    const auto failure = run.is_request() ? sip::check_request(run.message(), options)
                                          : sip::check_response(run.message(), options);
    if (!failure) return Outcome::yes();
    run.services().counters.add(x_failed);
    LOG(run.services().log, info, "sanity: {} ({})", failure->reason, failure->check);
    answer(run, *failure);
    if (!x_config.autodrop) return Outcome::no();
    run.state().local_only = true;
    return Outcome::stop();
  }

  Outcome reply(proxy::Run& run) {
    const proxy::LastError& error = run.state().last_error;
    if (!x_config.noreply || error.status == 0) return Outcome::no();
    return Outcome::from(send(run, error.status, error.reason));
  }

  CounterId x_failed;
  CounterId x_answered;
  CounterId x_dropped;

 private:
  /// A response and an ACK have no answer; they are dropped by whoever looks at the result.
  void answer(proxy::Run& run, const sip::SanityFailure& failure) {
    if (!run.is_request() || run.message().method() == sip::Method::ack) {
      run.services().counters.add(x_dropped);
      return;
    }
    run.fail(failure.status, failure.reason);
    if (!failure.unsupported.empty()) {
      const std::string line = "Unsupported: " + std::string(failure.unsupported) + "\r\n";
      static_cast<void>(run.add_reply_header(line));
    }
    if (!x_config.noreply) static_cast<void>(send(run, failure.status, failure.reason));
  }

  bool send(proxy::Run& run, std::uint16_t status, std::string_view reason) {
    proxy::LocalReply reply;
    reply.status = status;
    reply.reason = reason;
    if (!proxy::send_local_reply(run, reply)) return false;
    run.services().counters.add(x_answered);
    return true;
  }

  SanityConfig x_config;
  std::vector<std::string_view> x_supported;  // into x_config
};

}  // namespace

mod::ModuleSpec describe_sanity() {
  constexpr mod::Range kMask{0, 0xFFFFFFFF};
  return mod::SpecBuilder<Sanity>(
             "sanity",
             "Checks messages before they are processed (RFC 3261 16.3) and answers those that fail. Which "
             "checks, is a sum of numbers:\n\n"
             "1 SIP version of the Request-Line (505), 2 scheme of the Request-URI (416), 4 required header "
             "fields, 32 CSeq method, 64 CSeq number, 128 Content-Length, 256 Expires, 512 Proxy-Require "
             "(420), "
             "1024 URIs parse, 2048 digest credentials, 4096 one tag in From and To, 8192 Authorization, "
             "16384 "
             "first Via; 8 and 16 are without effect. Beyond the family: 65536 no header field twice that "
             "may "
             "stand once, 131072 Max-Forwards, 262144 every line is a header field, 524288 no headers in the "
             "Request-URI, 1048576 the second Via of a response is no broadcast. What has no other status is "
             "answered 400 with a reason that says what is wrong.")
      .param(&SanityConfig::default_checks, "default_checks",
             "The checks of `sanity_check()` without arguments.", kMask)
      .param(&SanityConfig::default_checks, "default_msg_checks", "As `default_checks`.", kMask)
      .param(&SanityConfig::uri_checks, "uri_checks",
             "The URIs of check 1024: 1 Request-URI, 2 From, 4 To, 8 Contact.", {0, 15})
      .param(&SanityConfig::uri_checks, "default_uri_checks", "As `uri_checks`.", {0, 15})
      .param(&SanityConfig::proxy_require, "proxy_require",
             "Option tags that may stand in Proxy-Require, with commas between them.")
      .param(&SanityConfig::autodrop, "autodrop",
             "A failed check ends the script and the message; `no`: the function returns false.")
      .param(&SanityConfig::noreply, "noreply",
             "Do not answer; the script does, by `sanity_reply()` or otherwise.")
      .function<&Sanity::run_checks>("sanity_check",
                                     "Runs the checks and answers the request at the first that fails. An "
                                     "ACK or a response is only dropped. "
                                     "Example: `if (!sanity_check(\"17895\", \"7\")) exit;`",
                                     {"checks", "uris"}, proxy::kAnyRoute,
                                     "1 all passed, -1 one failed (with `autodrop` the script ends)")
      .function<&Sanity::reply>("sanity_reply",
                                "With `noreply`: sends the answer that `sanity_check()` did not.", {},
                                kinds(proxy::RouteKind::request), "1 sent, -1 there is nothing to send")
      .counter(&Sanity::x_failed, "failed", "Messages that failed a check.")
      .counter(&Sanity::x_answered, "answered", "Requests answered because of a failed check.")
      .counter(&Sanity::x_dropped, "dropped", "ACKs and responses that failed a check.")
      .hardened("yes; it is made for them, every check takes linear time.")
      .done();
}

}  // namespace ser::modules
