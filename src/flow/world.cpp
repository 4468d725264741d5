// SPDX-License-Identifier: Apache-2.0
#include "flow/world.h"

#include <fmt/format.h>

namespace ser::flow {

World::World(std::uint64_t seed) : queue(clock), random(seed), network(clock, queue, random), x_seed(seed) {}
World::~World() = default;

Server* World::add_server(const std::string& name, LoadedConfig config, std::string& error) {
  auto fresh =
      std::make_unique<Server>(name, std::move(config), Surround{clock, queue, network, names, x_seed});
  if (!fresh->start()) {
    error = fresh->error();
    return nullptr;
  }
  for (const SockAddr& address : fresh->addresses()) {
    if (const Node* other = network.at(address)) {
      error = fmt::format("{} is the address of `{}` already", print(address).view(), other->node_name());
      return nullptr;
    }
    network.attach(address, *fresh);
  }
  x_servers.push_back(std::move(fresh));
  return x_servers.back().get();
}

Actor* World::add_actor(const ActorSpec& spec, std::string uri, std::string& error) {
  if (const Node* other = network.at(spec.address)) {
    error = fmt::format("{} is the address of `{}` already", print(spec.address).view(), other->node_name());
    return nullptr;
  }
  x_actors.push_back(std::make_unique<Actor>(spec, std::move(uri), network, clock));
  network.attach(spec.address, *x_actors.back());
  return x_actors.back().get();
}

Server* World::server(std::string_view name) noexcept {
  for (const auto& one : x_servers) {
    if (one->node_name() == name) return one.get();
  }
  return nullptr;
}

Actor* World::actor(std::string_view name) noexcept {
  for (const auto& one : x_actors) {
    if (one->node_name() == name) return one.get();
  }
  return nullptr;
}

}  // namespace ser::flow
