// SPDX-License-Identifier: Apache-2.0
// Variables of the run: what the script changed, where the message came from, the worker's own values.
#include <unistd.h>

#include "base/text.h"
#include "proxy/services.h"
#include "script/uri_rewrite.h"
#include "script/values.h"
#include "script/variable_readers.h"
#include "script/vm.h"
#include "sip/uri.h"

namespace ser::script::var {

namespace {

Value address(const IpAddress& ip, Run& run) noexcept {
  return text(run.arena().copy(print_ip(ip, false)));
}

constexpr Error kNeedsText{Errc::unsupported, 0, "a text is needed"};

Result<void> set_part(Run& run, UriPart part, const Value& value, bool may_be_null) noexcept {
  if (value.is_null()) {
    if (!may_be_null) return kNeedsText;
    return rewrite_uri(run, part, {});
  }
  return rewrite_uri(run, part, text_of(value, run.arena()));
}

}  // namespace

Value uri(const Bound&, Run& run) {
  return run.is_request() ? text(run.uri()) : Value::null();
}
Value original_uri(const Bound&, Run& run) {
  return run.is_request() ? text(run.message().start().uri) : Value::null();
}
Value uri_user(const Bound&, Run& run) {
  const sip::Uri* uri = Vm::of(run).request_uri(run);
  return uri == nullptr ? Value::null() : text_or_null(uri->user);
}
Value uri_domain(const Bound&, Run& run) {
  const sip::Uri* uri = Vm::of(run).request_uri(run);
  return uri == nullptr ? Value::null() : text_or_null(uri->host);
}
Value uri_port(const Bound&, Run& run) {
  const sip::Uri* uri = Vm::of(run).request_uri(run);
  return uri == nullptr ? Value::null() : Value::of(std::int64_t{uri->port_or_default()});
}
Value uri_protocol(const Bound&, Run& run) {
  const sip::Uri* uri = Vm::of(run).request_uri(run);
  return uri == nullptr ? Value::null() : text(uri->param("transport").value_or("udp"));
}
Value uri_scheme(const Bound&, Run& run) {
  const sip::Uri* uri = Vm::of(run).request_uri(run);
  return uri == nullptr ? Value::null() : text(uri->scheme_text);
}
Result<void> set_uri(const Bound&, Run& run, const Value& value) {
  if (!value.is_string()) return kNeedsText;
  return run.set_uri(value.text);
}
Result<void> set_uri_user(const Bound&, Run& run, const Value& value) {
  return set_part(run, UriPart::user, value, true);
}
Result<void> set_uri_domain(const Bound&, Run& run, const Value& value) {
  return set_part(run, UriPart::host, value, false);
}
Result<void> set_uri_port(const Bound&, Run& run, const Value& value) {
  if (value.is_string() && !value.text.empty() && !parse_u32(value.text, 65535))
    return {Errc::out_of_range, "no port"};
  if (value.is_integer() && (value.integer <= 0 || value.integer > 65535))
    return {Errc::out_of_range, "no port"};
  return set_part(run, UriPart::port, value, true);
}

Value destination(const Bound&, Run& run) {
  return text_or_null(run.state().dst_uri);
}
Value destination_domain(const Bound&, Run& run) {
  const auto uri = sip::parse_uri(run.state().dst_uri);
  return uri ? text_or_null((*uri).host) : Value::null();
}
Value destination_port(const Bound&, Run& run) {
  const auto uri = sip::parse_uri(run.state().dst_uri);
  return uri ? Value::of(std::int64_t{(*uri).port_or_default()}) : Value::null();
}
Result<void> set_destination(const Bound&, Run& run, const Value& value) {
  if (value.is_integer()) return kNeedsText;
  if (value.is_null() || value.text.empty()) {
    run.state().dst_uri = {};
    return {};
  }
  return run.set_dst_uri(value.text);
}

Value source_ip(const Bound&, Run& run) {
  return address(run.state().rx.from.ip, run);
}
Value source_port(const Bound&, Run& run) {
  return Value::of(std::int64_t{run.state().rx.from.port});
}
Value received_ip(const Bound&, Run& run) {
  return address(run.state().rx.to.ip, run);
}
Value received_port(const Bound&, Run& run) {
  return Value::of(std::int64_t{run.state().rx.to.port});
}
Value received_name(const Bound&, Run& run) {
  const SocketId id = run.state().rx.socket;
  const proxy::LocalSockets& sockets = run.services().sockets;
  return id < sockets.size() ? text_or_null(sockets.at(id).name) : Value::null();
}
Value protocol(const Bound&, Run& run) {
  return text(to_string(run.state().rx.proto));
}
Value forced_socket(const Bound&, Run& run) {
  const SocketId id = run.state().force_socket;
  const proxy::LocalSockets& sockets = run.services().sockets;
  if (id >= sockets.size()) return Value::null();
  Arena& arena = run.arena();
  return text(join(join(to_string(sockets.at(id).proto), ":", arena),
                   arena.copy(print(sockets.at(id).address)), arena));
}

Value branch_uri(const Bound&, Run& run) {
  const proxy::RunState& state = run.state();
  return state.branch_count == 0 ? Value::null() : text(state.branches[0].uri);
}
Value message_flags(const Bound&, Run& run) {
  return Value::of(std::int64_t{run.state().flags});
}
Value branch_flags(const Bound&, Run& run) {
  return Value::of(std::int64_t{run.state().branch_flags});
}
Value message_type(const Bound&, Run& run) {
  return Value::of(std::int64_t{run.is_request() ? 1 : 2});
}
Value message_number(const Bound&, Run& run) {
  return Value::of(static_cast<std::int64_t>(Vm::of(run).message_number()));
}
Value process_id(const Bound&, Run&) {
  return Value::of(std::int64_t{::getpid()});
}
Value unix_time(const Bound&, Run& run) {
  return Value::of(run.services().clock.wall_seconds());
}
Value return_code(const Bound&, Run& run) {
  return Value::of(run.state().retcode);
}
Value null(const Bound&, Run&) {
  return Value::null();
}

Value local(const Bound& variable, Run& run) {
  return Vm::of(run).local(variable.slot, run);
}
Result<void> set_local(const Bound& variable, Run& run, const Value& value) {
  return Vm::of(run).set_local(variable.slot, value);
}

Value avp(const Bound& variable, Run& run) {
  if (!variable.has_index || variable.index == 0) return run.avp(variable.inner, variable.number_name);
  std::size_t count = 0;
  std::string_view all;
  Arena& arena = run.arena();
  for (const proxy::Avp* avp = run.state().avps; avp != nullptr; avp = avp->next) {
    if (avp->name != variable.inner || avp->is_number != variable.number_name) continue;
    if (variable.index == Bound::kAll) {
      if (count != 0) all = join(all, ", ", arena);
      all = join(all, text_of(avp->value, arena), arena);
    }
    ++count;
  }
  if (variable.index == Bound::kAll) return count == 0 ? Value::null() : text(all);
  const std::int64_t nth =
      variable.index < 0 ? static_cast<std::int64_t>(count) + variable.index : variable.index;
  if (nth < 0) return Value::null();
  return run.avp(variable.inner, variable.number_name, static_cast<std::size_t>(nth));
}

Result<void> set_avp(const Bound& variable, Run& run, const Value& value) {
  if (variable.has_index && variable.index == Bound::kAll) {
    while (!run.avp(variable.inner, variable.number_name).is_null()) {
      TRY_VOID(run.set_avp(variable.inner, variable.number_name, Value::null()));
    }
    if (value.is_null()) return {};
  }
  if (value.is_null()) return run.set_avp(variable.inner, variable.number_name, value);
  return run.push_avp(variable.inner, variable.number_name, value);
}

Value constant(const Bound& variable, Run&) {
  return variable.constant;
}

Value of_module(const Bound& variable, Run& run) {
  return variable.module_get(Vm::of(run).module(variable.loaded), run, variable.inner);
}
Result<void> set_of_module(const Bound& variable, Run& run, const Value& value) {
  return variable.module_set(Vm::of(run).module(variable.loaded), run, variable.inner, value);
}

}  // namespace ser::script::var
