// SPDX-License-Identifier: Apache-2.0
#include "flow/network.h"

#include "base/text.h"

namespace ser::flow {

namespace {

bool concerns(const std::string& wanted, const std::string& name) {
  return wanted.empty() || wanted == name;
}

}  // namespace

Node* Network::at(const SockAddr& address) const noexcept {
  const auto found = x_nodes.find(key(address));
  return found == x_nodes.end() ? nullptr : found->second;
}

/// What was said last counts, each property for itself.
LinkProperties Network::properties(const std::string& from, const std::string& to) const {
  LinkProperties out;
  for (const LinkStep& link : x_links) {
    const bool forth = concerns(link.from, from) && concerns(link.to, to);
    const bool back = link.both_ways && concerns(link.from, to) && concerns(link.to, from);
    if (!forth && !back) continue;
    if (link.properties.delay) out.delay = link.properties.delay;
    if (link.properties.jitter) out.jitter = link.properties.jitter;
    if (link.properties.loss) out.loss = link.properties.loss;
    if (link.properties.duplicates) out.duplicates = link.properties.duplicates;
  }
  return out;
}

bool Network::by_chance(double share) noexcept {
  if (share <= 0) return false;
  constexpr double kRange = 1ULL << 32;
  return static_cast<double>(x_random.next() >> 32) < share * kRange;
}

std::size_t Network::note(const Node& from, const Datagram& datagram, const std::string& to) {
  std::string_view first = datagram.bytes;
  first = first.substr(0, first.find('\n'));
  Passage passage;
  passage.sent = passage.arrived = x_clock.elapsed();
  passage.from = from.node_name();
  passage.to = to;
  passage.first_line = trim(first);
  x_passages.push_back(std::move(passage));
  return x_passages.size() - 1;
}

void Network::carry(std::size_t passage, const Datagram& datagram, Instant delay) {
  ++x_travelling;
  x_queue.at(x_clock.now() + delay, [this, passage, datagram] {
    --x_travelling;
    x_passages[passage].arrived = x_clock.elapsed();
    x_passages[passage].fate = Passage::Fate::delivered;
    if (Node* node = at(datagram.to)) node->deliver(datagram);
  });
}

void Network::send(const Node& from, const Datagram& datagram) {
  const Node* to = at(datagram.to);
  const std::string name = to != nullptr ? to->node_name() : to_string(datagram.to);
  const std::size_t passage = note(from, datagram, name);
  if (to == nullptr) {
    const bool quiet = x_swallowed.count(key(datagram.to)) != 0;
    x_passages[passage].fate = quiet ? Passage::Fate::swallowed : Passage::Fate::nowhere;
    return;
  }
  const LinkProperties link = properties(from.node_name(), name);
  Instant delay = link.delay.value_or(0);
  if (link.jitter.value_or(0) > 0)
    delay += static_cast<Instant>(x_random.next() % static_cast<std::uint64_t>(*link.jitter + 1));
  bool lost = by_chance(link.loss.value_or(0));
  bool twice = by_chance(link.duplicates.value_or(0));
  Instant apart = 0;
  for (PacketRule& rule : x_rules) {
    if (rule.count == 0 || !concerns(rule.from, from.node_name()) || !concerns(rule.to, name)) continue;
    --rule.count;
    lost = lost || rule.what == PacketRule::What::lose;
    if (rule.what == PacketRule::What::delay) delay += rule.by;
    if (rule.what == PacketRule::What::duplicate) {
      twice = true;
      apart = rule.by;
    }
    break;
  }
  if (lost) {
    x_passages[passage].fate = Passage::Fate::lost;
    return;
  }
  carry(passage, datagram, delay);
  if (!twice) return;
  const std::size_t copy = note(from, datagram, name);
  x_passages[copy].duplicate = true;
  carry(copy, datagram, delay + apart);
}

}  // namespace ser::flow
