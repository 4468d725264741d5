// SPDX-License-Identifier: Apache-2.0
// The core's commands on the Request-URI.
#include "base/text.h"
#include "proxy/services.h"
#include "script/core_module.h"
#include "script/uri_rewrite.h"

namespace ser::script {

using mod::Outcome;

namespace {

Outcome answer(proxy::Run& run, const Result<void>& result, std::string_view command) {
  if (result) return Outcome::yes();
  LOG(run.services().log, error, "{}: {}", command, result.error().what);
  return Outcome::no();
}

}  // namespace

Outcome Core::set_host(Run& run, std::string_view host) {
  return answer(run, rewrite_uri(run, UriPart::host, host), "sethost");
}
Outcome Core::set_host_port(Run& run, std::string_view host_port) {
  return answer(run, rewrite_uri(run, UriPart::host_port, host_port), "sethostport");
}
Outcome Core::set_user(Run& run, std::string_view user) {
  return answer(run, rewrite_uri(run, UriPart::user, user), "setuser");
}
Outcome Core::set_user_password(Run& run, std::string_view user_password) {
  return answer(run, rewrite_uri(run, UriPart::user_password, user_password), "setuserpass");
}
Outcome Core::set_port(Run& run, std::string_view port) {
  if (!port.empty() && !parse_u32(port, 65535))
    return answer(run, {Errc::out_of_range, "no port number"}, "setport");
  return answer(run, rewrite_uri(run, UriPart::port, port), "setport");
}
Outcome Core::set_uri(Run& run, std::string_view uri) {
  return answer(run, run.set_uri(uri), "seturi");
}
Outcome Core::revert_uri(Run& run) {
  run.state().new_uri = {};
  return Outcome::yes();
}
Outcome Core::prefix(Run& run, std::string_view text) {
  return answer(run, prefix_user(run, text), "prefix");
}
Outcome Core::strip(Run& run, std::int64_t count) {
  return answer(run, strip_user(run, count, false), "strip");
}
Outcome Core::user_phone(Run& run) {
  return answer(run, mark_user_phone(run), "userphone");
}
Outcome Core::strip_tail(Run& run, std::int64_t count) {
  return answer(run, strip_user(run, count, true), "strip_tail");
}

}  // namespace ser::script
