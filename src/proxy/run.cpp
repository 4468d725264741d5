// SPDX-License-Identifier: Apache-2.0
#include "proxy/run.h"

#include "proxy/services.h"

namespace ser::proxy {

namespace {
/// SER row "rewriteuri": current URI changes (max 1024 bytes).
constexpr std::size_t kMaxUri = 1024;
}  // namespace

Result<void> Run::set_uri(std::string_view uri) const noexcept {
  if (uri.empty() || uri.size() > kMaxUri) return {Errc::too_long, "a Request-URI has 1 to 1024 bytes"};
  const std::string_view copy = arena().copy(uri);
  if (copy.empty()) return {Errc::no_memory, "message arena exhausted"};
  x_state->new_uri = copy;
  return {};
}

Result<void> Run::set_dst_uri(std::string_view uri) const noexcept {
  if (uri.size() > kMaxUri) return {Errc::too_long, "a destination URI has at most 1024 bytes"};
  const std::string_view copy = arena().copy(uri);
  if (copy.empty() && !uri.empty()) return {Errc::no_memory, "message arena exhausted"};
  x_state->dst_uri = copy;
  return {};
}

Result<void> Run::append_branch(std::string_view uri_text, std::uint16_t q) const noexcept {
  const std::uint16_t max = x_services->settings.max_branches;
  if (x_state->branch_count >= max) return {Errc::too_many, "max_branches reached"};
  if (x_state->branches == nullptr) {
    x_state->branches = arena().make_array<Branch>(max);
    if (x_state->branches == nullptr) return {Errc::no_memory, "message arena exhausted"};
  }
  if (uri_text.size() > kMaxUri) return {Errc::too_long, "a branch URI has at most 1024 bytes"};
  Branch branch;
  branch.uri = uri_text.empty() ? uri() : arena().copy(uri_text);
  if (branch.uri.empty()) return {Errc::no_memory, "message arena exhausted"};
  // A branch of the current URI goes where the script has sent the current URI.
  if (uri_text.empty()) branch.dst_uri = x_state->dst_uri;
  branch.socket = x_state->force_socket;
  branch.flags = x_state->branch_flags;
  branch.q = q;
  x_state->branches[x_state->branch_count++] = branch;
  return {};
}

Result<void> Run::add_reply_header(std::string_view lines) const noexcept {
  const std::string_view copy = arena().copy(lines);
  auto* header = arena().make<ReplyHeader>();
  if (copy.empty() || header == nullptr) return {Errc::no_memory, "message arena exhausted"};
  header->lines = copy;
  ReplyHeader** at = &x_state->reply_headers;
  while (*at != nullptr) at = &(*at)->next;
  *at = header;
  return {};
}

Value Run::avp(std::string_view name, bool is_number, std::size_t nth) const noexcept {
  for (const Avp* avp = x_state->avps; avp != nullptr; avp = avp->next) {
    if (avp->is_number == is_number && avp->name == name && nth-- == 0) return avp->value;
  }
  return Value::null();
}

Result<void> Run::push_avp(std::string_view name, bool is_number, const Value& value) const noexcept {
  auto* avp = avp_arena().make<Avp>();
  const std::string_view name_copy = avp_arena().copy(name);
  const std::string_view text = value.is_string() ? avp_arena().copy(value.text) : std::string_view{};
  if (avp == nullptr || (name_copy.empty() && !name.empty()) ||
      (value.is_string() && text.empty() && !value.text.empty())) {
    return {Errc::no_memory, "message arena exhausted"};
  }
  avp->name = name_copy;
  avp->is_number = is_number;
  avp->value = value;
  if (value.is_string()) avp->value.text = text;
  avp->next = x_state->avps;
  x_state->avps = avp;
  return {};
}

Result<void> Run::set_avp(std::string_view name, bool is_number, const Value& value) const noexcept {
  for (Avp** at = &x_state->avps; *at != nullptr; at = &(*at)->next) {
    if ((*at)->is_number != is_number || (*at)->name != name) continue;
    if (value.is_null()) {
      *at = (*at)->next;
      return {};
    }
    const std::string_view text = value.is_string() ? avp_arena().copy(value.text) : std::string_view{};
    if (value.is_string() && text.empty() && !value.text.empty())
      return {Errc::no_memory, "message arena exhausted"};
    (*at)->value = value;
    if (value.is_string()) (*at)->value.text = text;
    return {};
  }
  return value.is_null() ? Result<void>{} : push_avp(name, is_number, value);
}

}  // namespace ser::proxy
