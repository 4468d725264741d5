// SPDX-License-Identifier: Apache-2.0
// The table of the core's variables and the transformations.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "script/values.h"
#include "script/variable.h"
#include "script/variable_readers.h"
#include "sip/name_addr.h"
#include "sip/uri.h"

namespace ser::script {

using proxy::Value;

namespace {

constexpr VariableRow row(std::string_view name, VariableGet get, std::string_view help,
                          VariableSet set = nullptr, InnerForm inner = InnerForm::none,
                          bool indexed = false) {
  return {name, help, get, set, inner, indexed};
}

// Sorted by name (bytes).
constexpr VariableRow kRows[] = {
    row("Ri", var::received_ip, "local address the message arrived at"),
    row("Rn", var::received_name, "name of the listening socket the message arrived at"),
    row("Rp", var::received_port, "local port the message arrived at"),
    row("Ts", var::unix_time, "seconds since 1970"),
    row("ai", var::asserted_identity, "URI of P-Asserted-Identity"),
    row("avp", var::avp, "attribute of the message, newest first", var::set_avp, InnerForm::avp, true),
    row("bf", var::branch_flags, "branch flags as a number"),
    row("br", var::branch_uri, "URI of the first appended branch"),
    row("cT", var::content_type, "Content-Type"),
    row("ci", var::call_id, "Call-ID"),
    row("cl", var::content_length, "Content-Length"),
    row("cs", var::cseq, "number of CSeq"),
    row("ct", var::contact, "Contact as written"),
    row("dd", var::destination_domain, "host of $du"),
    row("dp", var::destination_port, "port of $du"),
    row("du", var::destination, "where the request goes; null: by the Request-URI", var::set_destination),
    row("fU", var::from_user, "user of the From URI"),
    row("fd", var::from_domain, "host of the From URI"),
    row("fn", var::from_display, "display name of From"),
    row("fs", var::forced_socket, "socket to send from"),
    row("ft", var::from_tag, "tag of From"),
    row("fu", var::from_uri, "URI of From"),
    row("hdr", var::header, "value of a header field", nullptr, InnerForm::header, true),
    row("hdrc", var::header_count, "number of header fields of a name", nullptr, InnerForm::header),
    row("mb", var::message_text, "the whole message as received"),
    row("mf", var::message_flags, "message flags as a number"),
    row("mi", var::message_number, "number of the message in this worker"),
    row("ml", var::message_length, "length of the message in bytes"),
    row("mt", var::message_type, "1 for a request, 2 for a response"),
    row("null", var::null, "no value"),
    row("oU", var::original_uri, "Request-URI as received"),
    row("ou", var::original_uri, "Request-URI as received"),
    row("pp", var::process_id, "process id of the worker"),
    row("pr", var::protocol, "protocol the message arrived by"),
    row("proto", var::protocol, "protocol the message arrived by"),
    row("rP", var::uri_protocol, "transport of the Request-URI"),
    row("rU", var::uri_user, "user of the Request-URI", var::set_uri_user),
    row("rb", var::body, "body of the message"),
    row("rc", var::return_code, "return code of the last function or route"),
    row("rd", var::uri_domain, "host of the Request-URI", var::set_uri_domain),
    row("retcode", var::return_code, "return code of the last function or route"),
    row("rm", var::method, "method of the request, or of CSeq in a response"),
    row("rmid", var::cseq_method, "method of CSeq"),
    row("rp", var::uri_port, "port of the Request-URI", var::set_uri_port),
    row("rr", var::reason, "reason phrase of a response"),
    row("rs", var::status, "status code of a response"),
    row("ru", var::uri, "current Request-URI", var::set_uri),
    row("rv", var::version, "SIP version of the start line"),
    row("rz", var::uri_scheme, "scheme of the Request-URI"),
    row("sel", var::constant, "custom variable: $sel(cfg_get.group.name)", nullptr, InnerForm::name),
    row("si", var::source_ip, "source address"),
    row("sp", var::source_port, "source port"),
    row("tU", var::to_user, "user of the To URI"),
    row("td", var::to_domain, "host of the To URI"),
    row("tn", var::to_display, "display name of To"),
    row("tt", var::to_tag, "tag of To"),
    row("tu", var::to_uri, "URI of To"),
    row("ua", var::user_agent, "User-Agent"),
    row("var", var::local, "variable of the worker, 0 at first", var::set_local, InnerForm::local),
};
static_assert(std::is_sorted(std::begin(kRows), std::end(kRows),
                             [](const VariableRow& a, const VariableRow& b) { return a.name < b.name; }));

constexpr std::string_view kLater[] = {"AU",
                                       "Au",
                                       "DR",
                                       "HN",
                                       "Hn",
                                       "RAi",
                                       "RAp",
                                       "RAu",
                                       "RAut",
                                       "RTi",
                                       "Ru",
                                       "Rut",
                                       "T",
                                       "TF",
                                       "TS",
                                       "TV",
                                       "T_branch",
                                       "T_branch_idx",
                                       "T_inv",
                                       "T_req",
                                       "T_reply_code",
                                       "T_reply_ruid",
                                       "T_req",
                                       "T_rpl",
                                       "Tb",
                                       "Tf",
                                       "Tn",
                                       "ad",
                                       "adu",
                                       "aU",
                                       "af",
                                       "ar",
                                       "as",
                                       "au",
                                       "auth",
                                       "authdata",
                                       "avps",
                                       "bR",
                                       "bS",
                                       "branch",
                                       "bs",
                                       "cas",
                                       "cert",
                                       "cfg",
                                       "cfgroute",
                                       "cnt",
                                       "conid",
                                       "context",
                                       "ctime",
                                       "C",
                                       "dP",
                                       "def",
                                       "defn",
                                       "defv",
                                       "di",
                                       "dip",
                                       "dlg",
                                       "dlg_count",
                                       "dlg_ctx",
                                       "dlg_var",
                                       "dns",
                                       "dplan",
                                       "ds",
                                       "dset",
                                       "dsv",
                                       "dv",
                                       "env",
                                       "expires",
                                       "expression",
                                       "fti",
                                       "ftu",
                                       "gip",
                                       "hfl",
                                       "hnU",
                                       "hu",
                                       "idb",
                                       "imc_room",
                                       "ipt",
                                       "jsonrpl",
                                       "K",
                                       "keepalive",
                                       "latency",
                                       "lu",
                                       "lsdp",
                                       "mct",
                                       "mqk",
                                       "mqv",
                                       "msg",
                                       "mts",
                                       "nhdr",
                                       "od",
                                       "op",
                                       "oP",
                                       "pU",
                                       "pcnt",
                                       "pd",
                                       "pn",
                                       "prefix",
                                       "ps",
                                       "pt",
                                       "pu",
                                       "rad",
                                       "ral",
                                       "rand",
                                       "RANDOM",
                                       "rc_",
                                       "re",
                                       "rdir",
                                       "rmsg",
                                       "route_uri",
                                       "rpid",
                                       "rtpstat",
                                       "rpl",
                                       "rT",
                                       "rtp",
                                       "ruid",
                                       "sas",
                                       "sbranch",
                                       "sdp",
                                       "shtcn",
                                       "shtex",
                                       "sht",
                                       "shtinc",
                                       "shtdec",
                                       "shtitkey",
                                       "shtitval",
                                       "shv",
                                       "siz",
                                       "snd",
                                       "sndfrom",
                                       "sndto",
                                       "sndport",
                                       "snds",
                                       "stat",
                                       "sudp",
                                       "su",
                                       "sut",
                                       "sruid",
                                       "sts",
                                       "tb",
                                       "time",
                                       "timef",
                                       "tls",
                                       "tls_peer_subject",
                                       "tot",
                                       "toq",
                                       "TLS",
                                       "ul",
                                       "ulc",
                                       "uac_req",
                                       "uuid",
                                       "utime",
                                       "version",
                                       "vn",
                                       "via",
                                       "via0",
                                       "via1",
                                       "viaZ",
                                       "vz",
                                       "x",
                                       "xavi",
                                       "xavp",
                                       "xavu",
                                       "xmlns",
                                       "xml",
                                       "ws_conid"};

struct TransformName {
  std::string_view name;
  TransformKind kind;
};
constexpr TransformName kTransforms[] = {
    {"s.len", TransformKind::s_len},
    {"s.int", TransformKind::s_int},
    {"s.substr", TransformKind::s_substr},
    {"s.tolower", TransformKind::s_tolower},
    {"s.toupper", TransformKind::s_toupper},
    {"uri.user", TransformKind::uri_user},
    {"uri.host", TransformKind::uri_host},
    {"uri.port", TransformKind::uri_port},
    {"uri.param", TransformKind::uri_param},
    {"uri.passwd", TransformKind::uri_passwd},
    {"uri.params", TransformKind::uri_params},
    {"uri.scheme", TransformKind::uri_scheme},
    {"nameaddr.uri", TransformKind::nameaddr_uri},
    {"nameaddr.name", TransformKind::nameaddr_name},
    {"nameaddr.len", TransformKind::nameaddr_len},
};

Value text_value(std::string_view text) noexcept {
  return Value::of(text.data() != nullptr ? text : std::string_view(""));
}

Value change_case(std::string_view text, bool upper, Arena& arena) noexcept {
  auto* at = static_cast<char*>(arena.allocate(text.size() + 1, 1));
  if (at == nullptr) return Value::null();
  std::transform(text.begin(), text.end(), at, [upper](char c) {
    if (!upper) return to_lower(c);
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
  });
  return Value::of(std::string_view(at, text.size()));
}

// s.substr: an offset below 0 counts from the end; length 0 is all the rest.
std::string_view substring(std::string_view text, std::int64_t offset, std::int64_t length) noexcept {
  const auto size = static_cast<std::int64_t>(text.size());
  if (offset < 0) offset += size;
  if (offset < 0 || offset > size) return {};
  const std::int64_t end = length > 0 && length < size - offset ? offset + length : size;
  return text.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(end - offset));
}

Value uri_part(const Transform& transform, std::string_view text) noexcept {
  const auto parsed = sip::parse_uri(text);
  if (!parsed) return text_value({});
  const sip::Uri& uri = *parsed;
  switch (transform.kind) {
    case TransformKind::uri_user:
      return text_value(uri.user);
    case TransformKind::uri_host:
      return text_value(uri.host);
    case TransformKind::uri_port:
      return uri.port == 0 ? text_value({}) : Value::of(std::int64_t{uri.port});
    case TransformKind::uri_passwd:
      return text_value(uri.password);
    case TransformKind::uri_params:
      return text_value(uri.params);
    case TransformKind::uri_scheme:
      return text_value(uri.scheme_text);
    default:
      return text_value(uri.param(transform.text).value_or(std::string_view()));
  }
}

Value name_addr_part(TransformKind kind, std::string_view text, Arena& arena) noexcept {
  const auto address = sip::parse_name_addr(text, arena);
  if (!address) return text_value({});
  if (kind == TransformKind::nameaddr_len) {
    // Without the parameters behind the address.
    const std::string_view whole = (*address)->text;
    auto end = static_cast<std::size_t>((*address)->uri.data() + (*address)->uri.size() - whole.data());
    if (const std::size_t close = whole.find_first_not_of(" \t\r\n", end);
        close != std::string_view::npos && whole[close] == '>') {
      end = close + 1;
    }
    return Value::of(static_cast<std::int64_t>(end));
  }
  return text_value(kind == TransformKind::nameaddr_uri ? (*address)->uri : (*address)->display);
}

}  // namespace

std::span<const VariableRow> core_variables() noexcept {
  return kRows;
}

const VariableRow* find_core_variable(std::string_view name) noexcept {
  const auto* at =
      std::lower_bound(std::begin(kRows), std::end(kRows), name,
                       [](const VariableRow& r, std::string_view wanted) { return r.name < wanted; });
  return at != std::end(kRows) && at->name == name ? at : nullptr;
}

bool is_later_variable(std::string_view name) noexcept {
  return std::find(std::begin(kLater), std::end(kLater), name) != std::end(kLater);
}

bool find_transform(std::string_view name, TransformKind& kind) noexcept {
  for (const TransformName& known : kTransforms) {
    if (known.name != name) continue;
    kind = known.kind;
    return true;
  }
  return false;
}

Value apply(const Transform& transform, const Value& value, proxy::Run& run) noexcept {
  if (value.is_null()) return value;
  Arena& arena = run.arena();
  const std::string_view text = text_of(value, arena);
  switch (transform.kind) {
    case TransformKind::s_len:
      return Value::of(static_cast<std::int64_t>(text.size()));
    case TransformKind::s_int:
      return Value::of(integer_of(value));
    case TransformKind::s_substr:
      return text_value(substring(text, transform.first, transform.second));
    case TransformKind::s_tolower:
      return change_case(text, false, arena);
    case TransformKind::s_toupper:
      return change_case(text, true, arena);
    case TransformKind::nameaddr_uri:
    case TransformKind::nameaddr_name:
    case TransformKind::nameaddr_len:
      return name_addr_part(transform.kind, text, arena);
    default:
      return uri_part(transform, text);
  }
}

Value BoundVariable::transformed(Value value, proxy::Run& run) const {
  for (const Transform& transform : transforms) value = apply(transform, value, run);
  return value;
}

}  // namespace ser::script
