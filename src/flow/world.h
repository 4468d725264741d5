// SPDX-License-Identifier: Apache-2.0
// A simulated world: clock, network, name server, servers under test and actors. Nothing in it waits, and the
// same seed makes the same bytes.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "flow/actor.h"
#include "flow/names.h"
#include "flow/network.h"
#include "flow/server.h"
#include "flow/simulation.h"

namespace ser::flow {

class World {
 public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  /// Puts a server on the network. `error` is filled when it does not start.
  Server* add_server(const std::string& name, LoadedConfig config, std::string& error);
  /// nullptr and `error`: the address is taken.
  Actor* add_actor(const ActorSpec& spec, std::string uri, std::string& error);

  Server* server(std::string_view name) noexcept;
  Actor* actor(std::string_view name) noexcept;
  const std::vector<std::unique_ptr<Server>>& servers() const noexcept { return x_servers; }
  const std::vector<std::unique_ptr<Actor>>& actors() const noexcept { return x_actors; }

  SimClock clock;
  EventQueue queue;
  SeededRandom random;
  Network network;
  Names names;

 private:
  std::uint64_t x_seed;
  std::vector<std::unique_ptr<Server>> x_servers;
  std::vector<std::unique_ptr<Actor>> x_actors;
};

}  // namespace ser::flow
