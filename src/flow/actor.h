// SPDX-License-Identifier: Apache-2.0
// An actor: a user agent that says what the flow tells it, with what RFC 3261 has a user agent fill in.
#pragma once
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "flow/message_text.h"
#include "flow/network.h"
#include "flow/variables.h"

namespace ser::flow {

/// A message that reached an actor.
struct Arrival {
  Datagram datagram;
  Instant at = 0;  ///< since the start of the scenario
};

/// What one side of a dialog knows (RFC 3261 12).
struct Dialog {
  std::string call_id, local_tag, remote_tag, local_uri, remote_uri, target;
  std::vector<std::string> routes;  ///< in the order to use
  unsigned long cseq = 0;
  bool confirmed = false;  ///< by a 2xx: the route set stays (RFC 3261 12.2)
};

/// What is to be sent: the template, the fields of which the flow may replace, and where to.
struct Draft {
  MessageText text;
  SockAddr to;  ///< invalid: to the server
  std::string problem;
};

class Actor final : public Node {
 public:
  /// `network` outlives it.
  Actor(const ActorSpec& spec, std::string uri, Network& network, SimClock& clock);

  const std::string& node_name() const noexcept override { return x_spec.name; }
  void deliver(const Datagram& datagram) override;
  const ActorSpec& spec() const noexcept { return x_spec; }
  std::string host_port() const;
  std::string contact() const;

  // Templates. `problem` says why there is none.
  Draft request(const std::string& method, const std::string& uri, bool in_dialog);
  Draft response(unsigned status, std::string reason, const std::string& method);
  Draft ack();
  Draft cancel();
  /// The last message sent whose first line begins with `start`.
  const Datagram* sent(std::string_view start) const;

  /// Out it goes, and what it means for dialogs is noted.
  void send(std::string bytes, const SockAddr& to);
  void send_again(const Datagram& datagram) { x_network.send(*this, datagram); }
  /// A message was taken from the inbox.
  void learn(const MessageText& message, const Datagram& datagram);
  /// name.branch and so on; nullopt: not known.
  std::optional<std::string> variable(std::string_view name) const;

  std::deque<Arrival> inbox;
  std::vector<std::string> ignored;

 private:
  Dialog* find_dialog(const std::string& call_id, const std::string& remote_tag);
  void begin_dialog_as_caller(const MessageText& response);
  void begin_dialog_as_callee(const MessageText& response);
  std::string new_branch();
  std::string via(const std::string& branch) const;
  std::string tag_for(const std::string& call_id);
  void add_routes(const Dialog& dialog, Draft& draft) const;
  SockAddr next_hop(const Dialog& dialog) const;
  void add_contact(Draft& draft) const;
  void finish(Draft& draft) const;

  ActorSpec x_spec;
  std::string x_uri;
  Network& x_network;
  SimClock& x_clock;
  std::vector<Dialog> x_dialogs;  ///< the last one is the one at hand
  struct Received {
    MessageText text;
    SockAddr from;
  };
  std::vector<Received> x_requests;   ///< received
  std::vector<MessageText> x_finals;  ///< received final responses to INVITE
  std::vector<Datagram> x_sent;
  std::map<std::string, std::string> x_tags;  ///< by Call-ID
  std::string x_last_branch, x_last_call_id;
  unsigned x_branches = 0, x_calls = 0;
};

}  // namespace ser::flow
