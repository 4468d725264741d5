// SPDX-License-Identifier: Apache-2.0
// The machine: core fields of the message and the tests that jump.
#include <sys/socket.h>

#include "base/text.h"
#include "proxy/services.h"
#include "script/values.h"
#include "script/vm.h"
#include "sip/hdr.h"

namespace ser::script {

using proxy::Run;
using proxy::Value;

namespace {

template <class H>
std::string_view address_uri(Run& run) noexcept {
  const auto address = run.message().get<H>();
  return address ? (*address)->uri : std::string_view();
}

std::string_view status_text(const sip::StartLine& start) noexcept {
  return start.is_request ? std::string_view() : start.line.substr(start.version.size() + 1, 3);
}

std::int64_t family_number(const IpAddress& ip) noexcept {
  return ip.is_v6() ? AF_INET6 : AF_INET;
}

}  // namespace

const sip::Uri* Vm::request_uri(Run& run) noexcept {
  if (!run.is_request()) return nullptr;
  const std::string_view text = run.uri();
  if (text.data() != x_uri_text.data() || text.size() != x_uri_text.size()) {
    x_uri_text = text;
    auto parsed = sip::parse_uri(text);
    x_uri_good = static_cast<bool>(parsed);
    if (x_uri_good) x_uri = *parsed;
  }
  return x_uri_good ? &x_uri : nullptr;
}

std::string_view Vm::field_text(CoreField field, Run& run) noexcept {
  const sip::StartLine& start = run.message().start();
  switch (field) {
    case CoreField::method: {
      if (start.is_request) return start.method_name;
      const auto cseq = run.message().get<sip::hdr::CSeq>();
      return cseq ? (*cseq)->method_name : std::string_view();
    }
    case CoreField::uri:
      return start.is_request ? run.uri() : std::string_view();
    case CoreField::from_uri:
      return address_uri<sip::hdr::From>(run);
    case CoreField::to_uri:
      return address_uri<sip::hdr::To>(run);
    case CoreField::status:
      return status_text(start);
    case CoreField::proto:
      return to_string(run.state().rx.proto);
    default: {
      const IpAddress* ip = field_address(field, run);
      return ip != nullptr ? run.arena().copy(print_ip(*ip, false))
                           : text_of(field_value(field, run), run.arena());
    }
  }
}

const IpAddress* Vm::field_address(CoreField field, Run& run) const noexcept {
  if (field == CoreField::src_ip) return &run.state().rx.from.ip;
  if (field == CoreField::dst_ip) return &run.state().rx.to.ip;
  return nullptr;
}

Value Vm::field_value(CoreField field, Run& run) noexcept {
  const RxPacket& rx = run.state().rx;
  switch (field) {
    case CoreField::src_port:
      return Value::of(std::int64_t{rx.from.port});
    case CoreField::dst_port:
      return Value::of(std::int64_t{rx.to.port});
    case CoreField::proto:
      return Value::of(static_cast<std::int64_t>(rx.proto));
    case CoreField::af:
      return Value::of(family_number(rx.from.ip));
    case CoreField::msg_len:
      return Value::of(static_cast<std::int64_t>(run.message().bytes().size()));
    case CoreField::status:
      return run.is_request() ? Value::null() : Value::of(std::int64_t{run.message().status()});
    case CoreField::snd_ip:
    case CoreField::snd_port:
    case CoreField::snd_proto:
    case CoreField::snd_af:
    case CoreField::to_ip:
    case CoreField::to_port:
      return Value::null();  // known in onsend_route only
    default: {
      const std::string_view text = field_text(field, run);
      return text.data() == nullptr ? Value::null() : Value::of(text);
    }
  }
}

bool Vm::test_myself(const Instruction& in, Run& run) noexcept {
  const proxy::LocalSockets& sockets = run.services().sockets;
  const auto field = static_cast<CoreField>(in.b);
  if (field == CoreField::dst_ip) return true;
  if (const IpAddress* ip = field_address(field, run); ip != nullptr) return sockets.is_myself(*ip);
  if (field == CoreField::uri) {
    const sip::Uri* uri = request_uri(run);
    return uri != nullptr &&
           sockets.is_myself(uri->host, in.c != 0 ? uri->port_or_default() : std::uint16_t{0});
  }
  const auto uri = sip::parse_uri(field_text(field, run));
  return uri && sockets.is_myself((*uri).host, in.c != 0 ? (*uri).port_or_default() : std::uint16_t{0});
}

bool Vm::test_address(const Instruction& in, Run& run) noexcept {
  const IpAddress* ip = field_address(static_cast<CoreField>(in.b), run);
  if (ip == nullptr) return false;
  proxy::NameService& names = run.services().names;
  if (in.op == Op::test_network) {
    const Network& network = x_program.networks[in.c];
    return ip->in_network(network.address, network.bits);
  }
  if (in.op == Op::test_name) {
    // A port keeps the look-up to addresses: no SRV.
    const auto addresses = names.lookup(x_program.texts[in.c], 5060, Proto::udp);
    if (!addresses) return false;
    for (std::uint8_t i = 0; i < (*addresses).count; ++i) {
      if ((*addresses).list[i].ip == *ip) return true;
    }
    return false;
  }
  const auto name = names.reverse(*ip);
  if (!name) return false;
  return in.d == 0 ? matches(*x_program.regexes[in.c], *name, run) : iequals(*name, x_program.texts[in.c]);
}

bool Vm::test(const Instruction& in, Run& run) noexcept {
  switch (in.op) {
    case Op::test_method:
      // A method without a number of its own, or a response: by name, in any case as the family does.
      return iequals(field_text(CoreField::method, run), x_program.texts[in.c]);
    case Op::test_text:
      return iequals(field_text(static_cast<CoreField>(in.b), run), x_program.texts[in.c]);
    case Op::test_match:
      return matches(*x_program.regexes[in.c], field_text(static_cast<CoreField>(in.b), run), run);
    case Op::test_int:
      return compare(static_cast<Operator>(in.d), integer_of(field_value(static_cast<CoreField>(in.b), run)),
                     x_program.integers[in.c]);
    case Op::test_max_len:
      return compare(static_cast<Operator>(in.d), integer_of(field_value(static_cast<CoreField>(in.b), run)),
                     run.services().settings.max_message_size);
    case Op::test_myself:
      return test_myself(in, run);
    case Op::test_network:
    case Op::test_name:
    case Op::test_reverse:
      return test_address(in, run);
    case Op::test_var_text: {
      const Value value = x_program.variables[in.c]->read(run);
      const std::string& text = x_program.texts[in.d];
      if (value.is_string()) return value.text == text;
      // `x == ""` asks whether x is empty as a text: the number 0 is not.
      if (value.is_integer() && text.empty()) return false;
      return equal(value, Value::of(std::string_view(text)), run.arena());
    }
    case Op::test_var_int:
      return equal(x_program.variables[in.c]->read(run), Value::of(x_program.integers[in.d]), run.arena());
    case Op::test_var_match: {
      const Value value = x_program.variables[in.c]->read(run);
      return matches(*x_program.regexes[in.d], text_of(value, run.arena()), run);
    }
    default:
      return false;
  }
}

}  // namespace ser::script
