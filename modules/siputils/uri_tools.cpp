// SPDX-License-Identifier: Apache-2.0
#include "modules/siputils/uri_tools.h"

#include "base/text.h"
#include "sip/output.h"

namespace ser::modules {

namespace {

std::string_view checked(std::string_view text) noexcept {
  return sip::parse_uri(text) ? text : std::string_view();
}

std::string_view joined(Arena& arena, std::initializer_list<std::string_view> parts) noexcept {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  auto* text = static_cast<char*>(arena.allocate(size + 1, 1));
  if (text == nullptr) return {};
  sip::Output out({text, size});
  for (const std::string_view part : parts) out.put(part);
  return checked({text, out.size()});
}

}  // namespace

std::string_view with_uri_param(Arena& arena, std::string_view uri, std::string_view param) noexcept {
  const auto parts = sip::parse_uri(uri);
  if (!parts || !parts->is_sip() || param.empty() || param.find('?') != std::string_view::npos) return {};
  const std::size_t end =
      parts->headers.empty() ? uri.size() : static_cast<std::size_t>(parts->headers.data() - uri.data()) - 1;
  return joined(arena, {uri.substr(0, end), param.front() == ';' ? "" : ";", param, uri.substr(end)});
}

std::string_view without_uri_param(Arena& arena, std::string_view uri, std::string_view name) noexcept {
  const auto parts = sip::parse_uri(uri);
  if (!parts) return {};
  std::string_view rest = parts->params;
  sip::UriParam param;
  while (sip::next_uri_param(rest, param)) {
    if (!iequals(param.name, name)) continue;
    const auto begin = static_cast<std::size_t>(param.name.data() - uri.data()) - 1;
    const std::string_view last = param.has_value && !param.value.empty() ? param.value : param.name;
    auto end = static_cast<std::size_t>(last.data() - uri.data()) + last.size();
    if (param.has_value && param.value.empty()) ++end;
    return joined(arena, {uri.substr(0, begin), uri.substr(end)});
  }
  return {};
}

std::string_view tel_to_sip(Arena& arena, const sip::Uri& tel, std::string_view host) noexcept {
  const std::size_t room = tel.user.size() + tel.params.size() + host.size() + 32;
  auto* text = static_cast<char*>(arena.allocate(room, 1));
  if (text == nullptr) return {};
  sip::Output out({text, room});
  out.put("sip:");
  for (const char c : tel.user) {
    if (c != '-' && c != '.' && c != '(' && c != ')') out.put({&c, 1});
  }
  if (!tel.params.empty()) out.put(";");
  for (const char c : tel.params) {
    const char lower = to_lower(c);
    out.put({&lower, 1});
  }
  out.put("@");
  out.put(host);
  out.put(";user=phone");
  return checked({text, out.size()});
}

}  // namespace ser::modules
