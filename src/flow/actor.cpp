// SPDX-License-Identifier: Apache-2.0
#include "flow/actor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sip/reply.h"
#include "sip/uri.h"

namespace ser::flow {

namespace {

std::string with_tag(const std::string& uri, const std::string& tag) {
  return fmt::format("<{}>{}", uri, tag.empty() ? "" : ";tag=" + tag);
}

/// Host and port of a URI or Via when the host is an address; else invalid.
SockAddr address_of(std::string_view host, std::uint16_t port) {
  const auto ip = parse_ip(host);
  return ip ? SockAddr{*ip, port} : SockAddr{};
}

SockAddr address_of_uri(const std::string& text) {
  const auto uri = sip::parse_uri(text);
  return uri ? address_of(uri->host, uri->port_or_default()) : SockAddr{};
}

/// Where a response goes (RFC 3261 18.2.2, RFC 3581): what the top Via says.
SockAddr via_address(const std::string& via, const SockAddr& source) {
  std::string_view sent_by = via;
  sent_by = trim(sent_by.substr(0, sent_by.find(';')));
  sent_by = sent_by.substr(sent_by.find_last_of(" \t") + 1);
  std::uint16_t port = 5060;
  std::string_view host = sent_by;
  const std::size_t colon = sent_by.rfind(':');
  if (colon != std::string_view::npos && sent_by.back() != ']') {
    port = static_cast<std::uint16_t>(parse_u32(sent_by.substr(colon + 1), 65535).value_or(5060));
    host = sent_by.substr(0, colon);
  }
  const std::string received = param_of(via, "received");
  const std::string rport = param_of(via, "rport");
  if (const auto number = parse_u32(rport, 65535)) port = static_cast<std::uint16_t>(*number);
  const SockAddr address = address_of(received.empty() ? host : std::string_view(received), port);
  return address.valid() ? address : source;
}

}  // namespace

Actor::Actor(const ActorSpec& spec, std::string uri, Network& network, SimClock& clock)
    : x_spec(spec), x_uri(std::move(uri)), x_network(network), x_clock(clock) {
  if (x_uri.empty()) x_uri = fmt::format("sip:{}@{}", spec.name, print_ip(spec.address.ip, true).view());
}

std::string Actor::host_port() const {
  return to_string(x_spec.address);
}
std::string Actor::contact() const {
  return fmt::format("<sip:{}@{}>", x_spec.name, host_port());
}

void Actor::deliver(const Datagram& datagram) {
  inbox.push_back({datagram, x_clock.elapsed()});
}

std::string Actor::new_branch() {
  x_last_branch = fmt::format("z9hG4bK-{}-{}", x_spec.name, ++x_branches);
  return x_last_branch;
}

std::string Actor::via(const std::string& branch) const {
  return fmt::format("SIP/2.0/UDP {};branch={}", host_port(), branch);
}

std::string Actor::tag_for(const std::string& call_id) {
  std::string& tag = x_tags[call_id];
  if (tag.empty()) tag = fmt::format("{}-{}", x_spec.name, x_tags.size());
  return tag;
}

Dialog* Actor::find_dialog(const std::string& call_id, const std::string& remote_tag) {
  for (Dialog& dialog : x_dialogs) {
    if (dialog.call_id == call_id && dialog.remote_tag == remote_tag) return &dialog;
  }
  return nullptr;
}

/// Loose routing only (RFC 3261 12.2.1.1): a strict router's URI is not made the Request-URI.
void Actor::add_routes(const Dialog& dialog, Draft& draft) const {
  for (const std::string& route : dialog.routes) draft.text.fields.push_back({"Route", route});
}

SockAddr Actor::next_hop(const Dialog& dialog) const {
  const SockAddr address =
      address_of_uri(dialog.routes.empty() ? dialog.target : uri_of(dialog.routes.front()));
  return x_network.at(address) != nullptr ? address : SockAddr{};
}

void Actor::add_contact(Draft& draft) const {
  draft.text.fields.push_back({"Contact", contact()});
}

void Actor::finish(Draft& draft) const {
  for (const FieldLine& line : x_spec.fields) {
    const auto same = [&](const MessageText::Field& field) { return same_header(field.name, line.name); };
    std::erase_if(draft.text.fields, same);
    if (line.how == FieldLine::How::value) draft.text.fields.push_back({line.name, line.value.text});
  }
}

Draft Actor::request(const std::string& method, const std::string& uri, bool in_dialog) {
  Draft draft;
  if (in_dialog && x_dialogs.empty()) {
    draft.problem = fmt::format("{} is in no dialog", x_spec.name);
    return draft;
  }
  Dialog* dialog = in_dialog ? &x_dialogs.back() : nullptr;
  const std::string target = uri.empty() ? dialog->target : uri;
  auto& fields = draft.text.fields;
  draft.text.first_line = fmt::format("{} {} SIP/2.0", method, target);
  fields.push_back({"Via", via(new_branch())});
  if (dialog != nullptr) add_routes(*dialog, draft);
  fields.push_back({"Max-Forwards", "70"});
  if (dialog != nullptr) {
    if (method != "ACK") ++dialog->cseq;
    fields.push_back({"From", with_tag(dialog->local_uri, dialog->local_tag)});
    fields.push_back({"To", with_tag(dialog->remote_uri, dialog->remote_tag)});
    fields.push_back({"Call-ID", dialog->call_id});
    fields.push_back({"CSeq", fmt::format("{} {}", dialog->cseq, method)});
    draft.to = next_hop(*dialog);
  } else {
    x_last_call_id =
        fmt::format("{}-{}@{}", ++x_calls, x_spec.name, print_ip(x_spec.address.ip, false).view());
    fields.push_back({"From", with_tag(x_uri, tag_for(x_last_call_id))});
    fields.push_back({"To", with_tag(method == "REGISTER" ? x_uri : target, "")});
    fields.push_back({"Call-ID", x_last_call_id});
    fields.push_back({"CSeq", "1 " + method});
  }
  if (method != "BYE" && method != "ACK") add_contact(draft);
  finish(draft);
  return draft;
}

Draft Actor::response(unsigned status, std::string reason, const std::string& method) {
  Draft draft;
  const auto found = std::find_if(x_requests.rbegin(), x_requests.rend(), [&](const Received& one) {
    return method.empty() ? one.text.method() != "ACK" : one.text.method() == method;
  });
  if (found == x_requests.rend()) {
    draft.problem = fmt::format("{} has received no {}", x_spec.name, method.empty() ? "request" : method);
    return draft;
  }
  const MessageText& request = found->text;
  if (reason.empty()) reason = sip::default_reason(static_cast<std::uint16_t>(status));
  draft.text.first_line = fmt::format("SIP/2.0 {} {}", status, reason);
  auto& fields = draft.text.fields;
  for (const MessageText::Field& field : request.fields) {
    const bool route = same_header(field.name, "Record-Route") && status > 100 && status < 300;
    if (same_header(field.name, "Via") || route || same_header(field.name, "From") ||
        same_header(field.name, "Call-ID") || same_header(field.name, "CSeq"))
      fields.push_back(field);
    if (!same_header(field.name, "To")) continue;
    fields.push_back(field);
    if (status > 100 && param_of(field.value, "tag").empty())
      fields.back().value += ";tag=" + tag_for(request.value("Call-ID"));
  }
  const std::string about = request.method();
  if (status > 100 && status < 300 && about != "BYE" && about != "CANCEL" && about != "REGISTER")
    add_contact(draft);
  draft.to = via_address(request.value("Via"), found->from);
  finish(draft);
  return draft;
}

/// RFC 3261 17.1.1.3 and 13.2.2.4.
Draft Actor::ack() {
  Draft draft;
  if (x_finals.empty()) {
    draft.problem = fmt::format("{} has received no final response to an INVITE", x_spec.name);
    return draft;
  }
  const MessageText final = x_finals.back();
  const auto invite = std::find_if(x_sent.rbegin(), x_sent.rend(), [&](const Datagram& one) {
    const MessageText text = MessageText::parse(one.bytes);
    return text.method() == "INVITE" && !text.is_response() &&
           text.value("Call-ID") == final.value("Call-ID") && text.cseq() == final.cseq();
  });
  if (invite == x_sent.rend()) {
    draft.problem = fmt::format("{} has sent no INVITE that this response is of", x_spec.name);
    return draft;
  }
  const MessageText request = MessageText::parse(invite->bytes);
  auto& fields = draft.text.fields;
  if (final.status() < 300) {
    const Dialog* dialog = find_dialog(final.value("Call-ID"), param_of(final.value("To"), "tag"));
    draft.text.first_line =
        fmt::format("ACK {} SIP/2.0", dialog != nullptr ? dialog->target : request.request_uri());
    fields.push_back({"Via", via(new_branch())});
    if (dialog != nullptr) add_routes(*dialog, draft);
    if (dialog != nullptr) draft.to = next_hop(*dialog);
  } else {
    draft.text.first_line = fmt::format("ACK {} SIP/2.0", request.request_uri());
    fields.push_back({"Via", request.value("Via")});
    for (const std::string& route : request.list("Route")) fields.push_back({"Route", route});
    draft.to = invite->to;
  }
  fields.push_back({"Max-Forwards", "70"});
  fields.push_back({"From", request.value("From")});
  fields.push_back({"To", final.value("To")});
  fields.push_back({"Call-ID", request.value("Call-ID")});
  fields.push_back({"CSeq", fmt::format("{} ACK", request.cseq())});
  finish(draft);
  return draft;
}

/// RFC 3261 9.1.
Draft Actor::cancel() {
  Draft draft;
  const Datagram* invite = sent("INVITE ");
  if (invite == nullptr) {
    draft.problem = fmt::format("{} has sent no INVITE", x_spec.name);
    return draft;
  }
  const MessageText request = MessageText::parse(invite->bytes);
  draft.text.first_line = fmt::format("CANCEL {} SIP/2.0", request.request_uri());
  auto& fields = draft.text.fields;
  fields.push_back({"Via", request.value("Via")});
  for (const std::string& route : request.list("Route")) fields.push_back({"Route", route});
  fields.push_back({"Max-Forwards", "70"});
  for (const char* name : {"From", "To", "Call-ID"}) fields.push_back({name, request.value(name)});
  fields.push_back({"CSeq", fmt::format("{} CANCEL", request.cseq())});
  draft.to = invite->to;
  finish(draft);
  return draft;
}

const Datagram* Actor::sent(std::string_view start) const {
  for (auto one = x_sent.rbegin(); one != x_sent.rend(); ++one) {
    std::string_view first = one->bytes;
    if (first.starts_with("SIP/2.0 ") && !start.empty() && is_digit(start[0])) first.remove_prefix(8);
    if (first.starts_with(start)) return &*one;
  }
  return nullptr;
}

void Actor::send(std::string bytes, const SockAddr& to) {
  x_sent.push_back({std::move(bytes), x_spec.address, to, {}});
  const MessageText text = MessageText::parse(x_sent.back().bytes);
  if (text.is_response() && text.cseq_method() == "INVITE" && text.status() > 100 && text.status() < 300)
    begin_dialog_as_callee(text);
  const Datagram datagram = x_sent.back();
  x_network.send(*this, datagram);
}

void Actor::begin_dialog_as_callee(const MessageText& response) {
  const std::string call_id = response.value("Call-ID");
  const std::string remote_tag = param_of(response.value("From"), "tag");
  const auto request = std::find_if(x_requests.rbegin(), x_requests.rend(), [&](const Received& one) {
    return one.text.method() == "INVITE" && one.text.value("Call-ID") == call_id;
  });
  if (request == x_requests.rend()) return;
  Dialog* dialog = find_dialog(call_id, remote_tag);
  if (dialog == nullptr) {
    x_dialogs.emplace_back();
    dialog = &x_dialogs.back();
    dialog->routes = request->text.list("Record-Route");
    dialog->call_id = call_id;
    dialog->remote_tag = remote_tag;
    dialog->local_uri = uri_of(response.value("To"));
    dialog->remote_uri = uri_of(response.value("From"));
  }
  dialog->local_tag = param_of(response.value("To"), "tag");
  dialog->confirmed = dialog->confirmed || response.status() >= 200;
  dialog->target = uri_of(request->text.value("Contact"));
}

void Actor::begin_dialog_as_caller(const MessageText& response) {
  const std::string call_id = response.value("Call-ID");
  const std::string remote_tag = param_of(response.value("To"), "tag");
  if (remote_tag.empty()) return;
  Dialog* dialog = find_dialog(call_id, remote_tag);
  if (dialog == nullptr) {
    x_dialogs.emplace_back();
    dialog = &x_dialogs.back();
    dialog->cseq = response.cseq();
    dialog->call_id = call_id;
    dialog->remote_tag = remote_tag;
    dialog->local_tag = param_of(response.value("From"), "tag");
    dialog->local_uri = uri_of(response.value("From"));
    dialog->remote_uri = uri_of(response.value("To"));
  } else if (dialog != &x_dialogs.back()) {
    const Dialog at_hand = *dialog;
    x_dialogs.erase(x_dialogs.begin() + (dialog - x_dialogs.data()));
    x_dialogs.push_back(at_hand);
    dialog = &x_dialogs.back();
  }
  // Final is what the first 2xx says (RFC 3261 13.2.2.4).
  if (!dialog->confirmed) {
    dialog->routes = response.list("Record-Route");
    std::reverse(dialog->routes.begin(), dialog->routes.end());
  }
  dialog->confirmed = dialog->confirmed || response.status() >= 200;
  if (response.find("Contact") != nullptr) dialog->target = uri_of(response.value("Contact"));
}

void Actor::learn(const MessageText& message, const Datagram& datagram) {
  if (!message.is_response()) {
    x_requests.push_back({message, datagram.from});
    // A re-INVITE or UPDATE from the other side refreshes the target (RFC 3261 12.2.2).
    Dialog* dialog = find_dialog(message.value("Call-ID"), param_of(message.value("From"), "tag"));
    if (dialog != nullptr && message.find("Contact") != nullptr && message.method() != "ACK")
      dialog->target = uri_of(message.value("Contact"));
    return;
  }
  if (message.cseq_method() != "INVITE") return;
  if (message.status() > 100 && message.status() < 300) begin_dialog_as_caller(message);
  if (message.status() >= 200) x_finals.push_back(message);
}

std::optional<std::string> Actor::variable(std::string_view name) const {
  if (name == "address") return host_port();
  if (name == "host") return std::string(print_ip(x_spec.address.ip, true).view());
  if (name == "port") return std::to_string(x_spec.address.port);
  if (name == "uri") return x_uri;
  if (name == "contact") return contact();
  if (name == "branch" && !x_last_branch.empty()) return x_last_branch;
  if (name == "call-id" && !x_last_call_id.empty()) return x_last_call_id;
  if (name == "tag" && !x_tags.empty()) {
    const auto found = x_tags.find(x_last_call_id);
    return found != x_tags.end() ? found->second : x_tags.rbegin()->second;
  }
  return std::nullopt;
}

}  // namespace ser::flow
