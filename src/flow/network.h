// SPDX-License-Identifier: Apache-2.0
// The simulated network: datagrams between addresses, with delay, loss and duplicates by link and by order.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "flow/flow_file.h"
#include "flow/simulation.h"

namespace ser::flow {

struct Datagram {
  std::string bytes;
  SockAddr from, to;
  std::string script;  ///< where the sending server's script had come to; empty: no script sent it
};

/// Somebody with addresses on the network.
class Node {
 public:
  virtual ~Node() = default;
  virtual const std::string& node_name() const noexcept = 0;
  virtual void deliver(const Datagram& datagram) = 0;
};

/// One datagram's way, for the diagram of messages.
struct Passage {
  enum class Fate : std::uint8_t { travelling, delivered, lost, nowhere, swallowed };
  Instant sent = 0, arrived = 0;
  std::string from, to;  ///< names of nodes; `to` is the address when nobody lives there
  std::string first_line;
  Fate fate = Fate::travelling;
  bool duplicate = false;
};

class Network {
 public:
  Network(SimClock& clock, EventQueue& queue, Random& random) noexcept
      : x_clock(clock), x_queue(queue), x_random(random) {}

  /// `node` outlives the network. A second node at an address replaces the first.
  void attach(const SockAddr& address, Node& node) { x_nodes[key(address)] = &node; }
  Node* at(const SockAddr& address) const noexcept;
  /// Packets to this address vanish without anybody minding.
  void swallow(const SockAddr& address) { x_swallowed[key(address)] = true; }

  /// Takes the datagram now; it arrives when the link says.
  void send(const Node& from, const Datagram& datagram);
  void set_link(const LinkStep& link) { x_links.push_back(link); }
  void add_rule(const PacketRule& rule) { x_rules.push_back(rule); }

  const std::vector<Passage>& passages() const noexcept { return x_passages; }
  /// Number of datagrams that have not arrived.
  std::size_t travelling() const noexcept { return x_travelling; }

 private:
  using Key = std::string;
  static Key key(const SockAddr& address) { return to_string(address); }
  LinkProperties properties(const std::string& from, const std::string& to) const;
  bool by_chance(double share) noexcept;
  void carry(std::size_t passage, const Datagram& datagram, Instant delay);
  std::size_t note(const Node& from, const Datagram& datagram, const std::string& to);

  SimClock& x_clock;
  EventQueue& x_queue;
  Random& x_random;
  std::map<Key, Node*> x_nodes;
  std::map<Key, bool> x_swallowed;
  std::vector<LinkStep> x_links;
  std::vector<PacketRule> x_rules;
  std::vector<Passage> x_passages;
  std::size_t x_travelling = 0;
};

}  // namespace ser::flow
