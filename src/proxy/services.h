// SPDX-License-Identifier: Apache-2.0
// Services: what a worker lends to those who handle a message. All references; owned by the worker.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/counters.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/packet.h"
#include "proxy/local_sockets.h"

namespace ser::proxy {

/// Core parameters that decide what happens to a message. Set before the fork, read-only after.
struct Settings {
  bool check_via = false;            ///< a response's top Via host must be us
  bool syn_branch = true;            ///< accepted; branches are deterministic anyway
  bool sip_warning = false;          ///< Warning header field in local replies
  bool server_signature = true;      ///< Server header field in local replies
  bool reply_to_via = false;         ///< local replies go to Via's sent-by instead of the source address
  bool relay_stray_replies = false;  ///< forward responses whose Via is not ours by its token
  bool receive_checks = true;        ///< SER's message checks before parsing
  bool force_rport = false;          ///< as if every request had rport
  bool ser_dialect = false;          ///< the script is SER 0.8's
  bool dns = false;                  ///< dns=yes: Via names are compared by look-up
  bool rev_dns = false;
  bool mhomed = false;
  bool local_rport = false;  ///< our own Via carries rport
  bool dns_try_ipv6 = true;  ///< AAAA records too
  std::uint16_t max_branches = 16;
  std::uint16_t max_recursive_level = 100;  ///< route blocks inside of each other
  std::uint32_t max_message_size = 65535;
  std::uint32_t max_while_loops = 100;
  std::uint32_t max_steps = 1'000'000;  ///< script instructions a run may take
  std::string server_header;            ///< "Server: ser (0.1.0)" without CRLF, or as configured
  std::string user_agent_header;
  std::uint32_t overload_batches = 128;    ///< full receive batches in a row that mean overload; 0: off
  std::uint32_t max_suspended = 10'000;    ///< runs that wait at a time
  Instant name_wait = 5'000'000'000;       ///< how long a run waits for a host name: dns_suspend_timeout
  std::uint32_t overload_retry_after = 5;  ///< least Retry-After of a refusal, in seconds; at most twice that
};

/// Answers from the resolver's cache; never waits.
class NameService {
 public:
  virtual ~NameService() = default;
  struct Addresses {
    SockAddr list[8];
    std::uint8_t count = 0;
  };
  /// Addresses of a host (SRV first when port is 0 and the text is a name). Errc::pending: asked for now,
  /// come back later; Errc::not_found: the name does not exist.
  virtual Result<Addresses> lookup(std::string_view host, std::uint16_t port, Proto proto) noexcept = 0;
  /// Name of an address, for rev_dns. Errc::pending as above. The view is valid until the next call.
  virtual Result<std::string_view> reverse(const IpAddress& ip) noexcept = 0;
  /// A question that is on its way.
  struct Question {
    std::string_view name;   ///< empty: nobody will tell when it is answered
    std::uint16_t type = 0;  ///< of the DNS record
  };
  /// What the last look-up that said Errc::pending waits for, one of the questions when there are several:
  /// once that is answered, the look-up knows more. Valid until the next look-up.
  virtual Question pending() const noexcept { return {}; }
};

/// Asks the kernel which of our sockets and addresses reach a destination (`mhomed`).
class SourceService {
 public:
  virtual ~SourceService() = default;
  /// Fills socket and from_ip of `target` for target.to; false when nothing reaches it.
  virtual bool choose(TxTarget& target, const RxPacket& received) noexcept = 0;
};

struct SharedServices;
struct RunState;
struct KeptMessage;
struct SuspendedRun;
class Run;

/// How a block of the script ended, for who ran it.
enum class RouteEnd : std::uint8_t {
  done,       ///< came to its end, or exit
  dropped,    ///< drop: the response or branch is not to be sent
  failed,     ///< no memory, step limit: logged and counted
  suspended,  ///< waits; goes on when Suspender::let_wait() has been called and an answer comes
};

/// Runs blocks of the script for those who do not know the script: a transaction's routes.
class RouteRunner {
 public:
  virtual ~RouteRunner() = default;
  /// `block` as mod::RouteRef has it. May be called while another block runs. Only a failure route, or a
  /// response's, can be suspended.
  virtual RouteEnd run_route(std::uint16_t block, Run& run) noexcept = 0;
};

/// The rest of a block that waited, for who ran it.
class RestOfRoute {
 public:
  virtual ~RestOfRoute() = default;
  virtual RouteEnd go_on(Run& run) noexcept = 0;
};

struct LocalReply;

/// What others than tm do with transactions.
class Transactions {
 public:
  virtual ~Transactions() = default;
  /// Answers through the transaction of a run (RunState::transaction).
  virtual Result<void> reply(Run& run, const LocalReply& reply) noexcept = 0;
  /// The request belongs to a transaction that is there: it comes again, or is its CANCEL or ACK.
  virtual bool knows(Run& run) noexcept = 0;

  // The request of a run that waits is a transaction, so that it is found when it comes again (DESIGN 2.7).

  /// Before a request waits. It becomes a pending transaction when it is none and can be one. False: the same
  /// request is here already, and this run is to end without an answer.
  virtual bool begin_pending(Run& run) noexcept = 0;
  /// After Suspender::park() of a run of request_route that has a transaction: the run is not ours any more.
  virtual void put_aside(Run& run) noexcept = 0;
  /// Takes the request of such a run in hand again. Null: its transaction is no more.
  virtual KeptMessage* take_up(RunState& state) noexcept = 0;
  /// Goes on with a failure route, or a response's, of a transaction, and with what follows from its end.
  virtual void resume(SuspendedRun& suspended, RestOfRoute& rest) noexcept = 0;
};

/// Counter ids of the core, registered once by register_core_counters().
struct CoreCounters {
  CounterId received_requests, received_replies, received_invite, received_ack, received_cancel, received_bye,
      received_other;
  CounterId received_1xx, received_2xx, received_3xx, received_4xx, received_5xx, received_6xx;
  CounterId forwarded_requests, forwarded_replies, sent_replies, dropped_requests, dropped_replies;
  CounterId err_requests, err_replies, bad_uri, bad_via, bad_first_line, unsupported_method, keepalives,
      runts;
  CounterId check_start_line, check_version, check_no_blank_line, check_bare_cr;
  CounterId stray_replies, dns_pending, dns_failed, send_refused, prescript_drops, regex_limit, step_limit,
      arena_exhausted;
  CounterId script_microseconds, script_runs, too_large, max_forwards_zero, loops;
  CounterId refused_overload, refused_memory, refused_closing, absorbed_acks;
  CounterId suspended, suspended_total, suspended_timed_out, suspended_refused;
};
CoreCounters register_core_counters(CounterTable& table);

/// One worker's services.
struct Services {
  Logger& log;
  Clock& clock;
  Random& random;
  PacketSink& sink;
  Counters& counters;
  NameService& names;
  SourceService* sources;  ///< null: not multihomed, LocalSockets::choose() decides
  const CoreCounters& count;
  const LocalSockets& sockets;
  const Settings& settings;
  const HashKey& via_key;                ///< lives in the segment, outlives workers
  std::span<void*> worker_state;         ///< per module, by its index: what Module::start_worker returned
  void* script_state = nullptr;          ///< the VM's per-worker state ($var, match data …)
  std::uint16_t slot = 0;                ///< index of the worker's slot
  Transactions* transactions = nullptr;  ///< null: tm is not loaded
  RouteRunner* routes = nullptr;         ///< null in a worker without the script
  SharedServices* shared = nullptr;      ///< keeper.h; null where nothing outlives its message
};

}  // namespace ser::proxy
