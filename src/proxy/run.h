// SPDX-License-Identifier: Apache-2.0
// Run: one pass of a message through the server. Its state lies in the message's arena, so that it can be
// suspended in one worker and resumed in another; the Run itself is a handle on that state and on the worker
// it is in just now.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/packet.h"
#include "base/source_place.h"
#include "proxy/value.h"
#include "sip/edit.h"
#include "sip/message.h"

namespace ser::proxy {

struct Services;

/// The kinds of blocks a script has, as bits: where a function may be called is a set of them.
enum class RouteKind : std::uint16_t {
  request = 1 << 0,  ///< route{}, request_route and what they call
  reply = 1 << 1,    ///< reply_route{} / onreply_route{}: every response, before any module sees it
  onreply = 1 << 2,  ///< onreply_route[x]: a transaction's response
  failure = 1 << 3,  ///< failure_route[x]; SER 0.8.8 reply_route[n]
  branch = 1 << 4,   ///< branch_route[x]
  onsend = 1 << 5,
  event = 1 << 6,  ///< event_route[x]
};
using RouteKinds = std::uint16_t;
constexpr RouteKinds kinds(RouteKind a) noexcept {
  return static_cast<RouteKinds>(a);
}
constexpr RouteKinds operator|(RouteKind a, RouteKind b) noexcept {
  return static_cast<RouteKinds>(kinds(a) | kinds(b));
}
constexpr RouteKinds operator|(RouteKinds a, RouteKind b) noexcept {
  return static_cast<RouteKinds>(a | kinds(b));
}
inline constexpr RouteKinds kAnyRoute = 0x7F;

inline constexpr std::uint16_t kNoQ = 0xFFFF;

/// One outgoing target beside the first: append_branch().
struct Branch {
  std::string_view uri;
  std::string_view dst_uri;  ///< empty: by uri
  std::string_view path;     ///< Route values to put on top; empty: none
  SocketId socket = kNoSocket;
  std::uint16_t q = kNoQ;   ///< 0..1000
  std::uint32_t flags = 0;  ///< branch flags
};

/// append_to_reply(): header lines for local replies. In the arena.
struct ReplyHeader {
  std::string_view lines;  ///< whole lines with CRLF
  ReplyHeader* next = nullptr;
};

/// Why the last forward failed, for sl_reply_error(): a status and reason to answer with.
struct LastError {
  std::uint16_t status = 0;  ///< 0: nothing went wrong yet
  std::string_view reason;   ///< static text
};

/// Route and Record-Route of a request, as module rr sets them. In the arena.
struct RouteState {
  enum class Doubling : std::uint8_t { never, when_sockets_differ, always };
  // A Record-Route to be added. The forwarder writes it, for only it knows the socket the request leaves by.
  bool record = false;
  bool sips = false;
  bool socket_names = false;  ///< `;sn=name` of named sockets
  Doubling doubling = Doubling::when_sockets_differ;
  std::string_view user;          ///< without "@"; empty: none
  std::string_view host;          ///< "host[:port][;params]" of the script; empty: the socket's
  std::string_view second_host;   ///< of the header field that faces the previous hop; empty: none
  std::string_view params;        ///< ";lr;ftag=…"
  std::string_view extra_params;  ///< add_rr_param(), also before record is set
  // What was found on the way in.
  std::string_view own_params;  ///< URI parameters of our own Route value, from the first ";"
  bool next_hop_is_route = false;
};

/// What this message's Via and Record-Route call us instead of what the socket says
/// (set_advertised_address(), set_advertised_port()). In the arena; the host is the program's text.
struct AdvertisedName {
  std::string_view host;   ///< IPv6 in brackets; empty: the socket's
  std::uint16_t port = 0;  ///< 0: the socket's
};

/// All that travels with a message through script, modules and forwarding. Plain data in the arena: no
/// vtable, trivially destructible; views point into the message, its arena or the program.
struct RunState {
  sip::Message* message = nullptr;
  RxPacket rx;
  sip::EditList* edits = nullptr;     ///< made on first use: Run::edits()
  std::string_view new_uri;           ///< current Request-URI when the script changed it
  std::string_view dst_uri;           ///< $du; empty: route by Request-URI
  SocketId force_socket = kNoSocket;  ///< force_send_socket()
  std::uint16_t ruri_q = kNoQ;
  std::uint32_t flags = 0;           ///< setflag()
  std::uint32_t branch_flags = 0;    ///< setbflag() of the first branch
  std::uint32_t script_flags = 0;    ///< setsflag()
  std::uint64_t extended_flags = 0;  ///< setxflag()
  Branch* branches = nullptr;        ///< room for Services::settings.max_branches, made on first use
  std::uint16_t branch_count = 0;
  RouteKind kind = RouteKind::request;
  Avp* avps = nullptr;
  Arena* avp_arena =
      nullptr;  ///< where AVPs are made; null: the message's. Of this worker, while a route runs
  ReplyHeader* reply_headers = nullptr;
  std::string_view reply_body;  ///< set_reply_body(): body of the next local reply, in the arena
  std::string_view reply_content_type;
  RouteState* routing = nullptr;         ///< made on first use: Run::routing()
  AdvertisedName* advertised = nullptr;  ///< made on first use: Run::advertised()
  LastError last_error;
  std::int64_t retcode = 1;           ///< $rc
  bool rport_forced = false;          ///< force_rport(): reply to the source port, add rport to Via
  bool local_rport = false;           ///< add_local_rport(): our own Via asks for rport
  bool received_needed = false;       ///< source differs from sent-by: received is added
  bool max_forwards_done = false;     ///< somebody already counted this hop
  bool stray_response = false;        ///< response whose Via token is not ours
  bool via_is_ours = false;           ///< response verified by its token
  bool via_is_stateful = false;       ///< … and a transaction's: via_cell and via_generation name it
  std::uint8_t via_branch_index = 0;  ///< of a verified response; in a branch route: of the branch
  std::uint32_t via_cell = 0;
  std::uint32_t via_generation = 0;
  bool local_only = false;              ///< the message must not be forwarded (e.g. checks failed)
  bool sent = false;                    ///< something was sent for this message
  bool wait_is_over = false;            ///< the function that is called again may not wait once more
  void* transaction_wishes = nullptr;   ///< tm's: what the script asked for before there was one
  void* transaction = nullptr;          ///< tm's: the transaction this run belongs to, in the segment
  void* pending_transaction = nullptr;  ///< tm's: as long as the script has not asked for one, but it waited
  SourcePlace script;                   ///< where the script is; for logs and crash files
  std::string_view log_prefix;

  /// The message is a transaction's, or going to be: that keeps it, not the run.
  bool has_transaction() const noexcept { return transaction != nullptr || pending_transaction != nullptr; }
};

/// The handle functions get. Made on the stack for each event; not kept.
class Run {
 public:
  Run(RunState& state, Services& services) noexcept : x_state(&state), x_services(&services) {}
  RunState& state() const noexcept { return *x_state; }
  Services& services() const noexcept { return *x_services; }
  sip::Message& message() const noexcept { return *x_state->message; }
  Arena& arena() const noexcept { return x_state->message->arena(); }
  bool is_request() const noexcept { return x_state->message->is_request(); }

  /// The changes to this message; nullptr only when the arena is exhausted.
  sip::EditList* edits() const noexcept {
    if (x_state->edits == nullptr) x_state->edits = arena().make<sip::EditList>(arena(), *x_state->message);
    return x_state->edits;
  }
  /// Route and Record-Route state; nullptr only when the arena is exhausted.
  RouteState* routing() const noexcept {
    if (x_state->routing == nullptr) x_state->routing = arena().make<RouteState>();
    return x_state->routing;
  }
  /// The names of this message; nullptr only when the arena is exhausted.
  AdvertisedName* advertised() const noexcept {
    if (x_state->advertised == nullptr) x_state->advertised = arena().make<AdvertisedName>();
    return x_state->advertised;
  }
  /// Current Request-URI: as the script left it. Empty for responses.
  std::string_view uri() const noexcept {
    return x_state->new_uri.data() != nullptr ? x_state->new_uri : x_state->message->start().uri;
  }
  /// Sets the Request-URI to a copy of `uri` (at most 1024 bytes, SER row "rewriteuri").
  Result<void> set_uri(std::string_view uri) const noexcept;
  Result<void> set_dst_uri(std::string_view uri) const noexcept;
  /// Adds a branch; empty uri: the current one. Errc::too_many beyond max_branches.
  Result<void> append_branch(std::string_view uri, std::uint16_t q = kNoQ) const noexcept;
  void clear_branches() const noexcept { x_state->branch_count = 0; }
  /// Header lines (with CRLF) for the next local reply to this request.
  Result<void> add_reply_header(std::string_view lines) const noexcept;

  Arena& avp_arena() const noexcept { return x_state->avp_arena != nullptr ? *x_state->avp_arena : arena(); }
  Value avp(std::string_view name, bool is_number, std::size_t nth = 0) const noexcept;
  /// Replaces the newest of that name, or adds one; null removes the newest.
  Result<void> set_avp(std::string_view name, bool is_number, const Value& value) const noexcept;
  Result<void> push_avp(std::string_view name, bool is_number, const Value& value) const noexcept;
  void fail(std::uint16_t status, std::string_view static_reason) const noexcept {
    x_state->last_error = {status, static_reason};
  }

 private:
  RunState* x_state;
  Services* x_services;
};

}  // namespace ser::proxy
