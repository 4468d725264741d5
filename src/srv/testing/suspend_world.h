// SPDX-License-Identifier: Apache-2.0
// For tests: a prepared server without sockets, a receiver and an event worker on a clock that jumps, name
// servers that answer when the test says so, and a module whose functions wait.
#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mod/spec.h"
#include "proxy/suspender.h"
#include "srv/detached_worker.h"
#include "srv/event_work.h"
#include "srv/module_timers.h"
#include "srv/resumer.h"
#include "srv/testing/flow.h"

namespace ser::srv::testing {

/// `wait(ms, late)` waits for the test's answer, `say(text)` notes a text, `edit(value)` adds a header field.
class Waiter final : public mod::Module {
 public:
  using Config = mod::NoConfig;
  explicit Waiter(const Config&) {}
  mod::Outcome wait(proxy::Run& run, std::int64_t ms, std::optional<std::int64_t> late) {
    const auto ticket = proxy::suspend(run, ms * 1'000'000, static_cast<std::int32_t>(late.value_or(-1)));
    if (!ticket) {
      said += "refused;";
      return mod::Outcome::no();
    }
    tickets.push_back(*ticket);
    if (answer_at_once) {
      EXPECT_TRUE(proxy::resume(run.services(), *ticket, 7));
    }
    return mod::Outcome::suspend();
  }
  mod::Outcome say(proxy::Run&, std::string_view text) {
    said.append(text).append(";");
    return mod::Outcome::yes();
  }
  mod::Outcome edit(proxy::Run& run, std::string_view value) {
    return mod::Outcome::from(static_cast<bool>(run.edits()->append_field("X-Edit", value)));
  }
  void post_script(proxy::Run&) override { ++finished; }

  std::vector<proxy::Ticket> tickets;
  std::string said;
  unsigned finished = 0;
  bool answer_at_once = false;
};

inline mod::ModuleSpec describe_waiter() {
  return mod::SpecBuilder<Waiter>("waiter", "Waits.")
      .function<&Waiter::wait>("wait", "Waits for an answer.", {"ms", "late"}, proxy::kAnyRoute)
      .function<&Waiter::say>("say", "Notes a text.", {"text"}, proxy::kAnyRoute)
      .function<&Waiter::edit>("edit", "Adds a header field.", {"value"}, proxy::kAnyRoute)
      .hook(mod::Hook::post_script)
      .done();
}

/// Keeps questions until they are answered.
class HeldTransport final : public net::DnsTransport {
 public:
  void ask(const net::DnsName& name, net::DnsType type) override {
    asked.emplace_back(std::string(name.view()), type);
  }
  void refresh_moved() override {}
  std::vector<std::pair<std::string, net::DnsType>> asked;
};

class SuspendWorld {
 public:
  using Describe = mod::ModuleSpec (*)();
  /// `body`: of the request route, with a loaded `waiter`. `modules`: what `head` loads.
  explicit SuspendWorld(const std::string& body, const std::string& more = "", const std::string& head = "",
                        std::vector<Describe> modules = {})
      : SuspendWorld(Text{"#!KAMAILIO\nlisten=udp:192.0.2.9:5060\ndns_try_ipv6=no\n" + head +
                          "\nloadmodule \"waiter.so\"\nrequest_route {\n" + body + "\n}\n" + more},
                     std::move(modules)) {}

  /// A message of a client of 192.0.2.1:5070; what left because of it.
  std::vector<Sent> receive(std::string_view bytes) {
    sink.sent.clear();
    RxPacket packet;
    packet.bytes = bytes;
    packet.from = address("192.0.2.1", 5070);
    packet.to = address("192.0.2.9", 5060);
    packet.socket = 0;
    packet.proto = Proto::udp;
    packet.at = clock.now();
    EXPECT_TRUE(receiver->receive(packet));
    return sink.sent;
  }
  /// What the event worker does once; what left because of it.
  std::vector<Sent> work() {
    sink.sent.clear();
    event->drain();
    while (resumer->resume_next()) event->drain();
    return sink.sent;
  }
  /// The timer worker at this moment, then the event worker.
  std::vector<Sent> wait_ms(std::int64_t ms) {
    clock.advance_ms(ms);
    shared().timers->expire(receiver->actor(), clock.now(), 1000, [this](const shm::TimerEvent& expired) {
      mod::WorkerContext timer_worker = event_worker->module_context();
      if (!receiver->suspender().on_timer(expired)) {
        EXPECT_TRUE(ModuleTimers::pass_on(shared(), expired.type, expired.words, timer_worker));
      }
    });
    return work();
  }
  /// A name server's answer; no address: the name does not exist.
  std::vector<Sent> answer(std::string_view host, const char* ip, net::DnsType type = net::DnsType::a) {
    net::DnsName name;
    EXPECT_TRUE(name.assign(host));
    net::DnsAnswer answer;
    answer.clear(type, ip != nullptr ? net::DnsStatus::ok : net::DnsStatus::no_name);
    if (ip != nullptr) {
      answer.count = 1;
      answer.addresses[0] = *parse_ip(ip);
    }
    answer.ttl = 60;
    questions->answered(name, type, answer);
    return work();
  }
  /// The event worker dies between two runs and another one takes its place.
  void replace_event_worker() {
    event.reset();
    resumer.reset();
    questions.reset();
    transport.asked.clear();
    event_worker.reset();
    start_event_worker();
  }
  Shared& shared() const { return server->shared(); }
  Waiter& waiter() const { return static_cast<Waiter&>(*loaded->registry.find_loaded("waiter")->module); }
  std::uint64_t counted(std::string_view name) const {
    return shared().pages->sum(shared().counters.find("core", name));
  }
  /// As the supervisor has it done after a death that the reaper has seen to.
  void hear_of_death() {
    mod::WorkerContext context = event_worker->module_context();
    for (mod::Loaded& module : shared().registry->loaded()) module.module->after_death(context);
  }
  /// Nothing waits, and nothing is kept of what waited.
  void expect_clean(const shm::HeapUse& start) const {
    const shm::HeapUse now = shared().heap->use();
    EXPECT_EQ(now.cells, start.cells);
    EXPECT_EQ(now.used, start.used);
    EXPECT_EQ(shared().timers->armed(), 0U);
    for (std::uint32_t i = 0; i < shared().suspended->capacity(); ++i)
      EXPECT_EQ(shared().suspended->look(i).stage, proxy::SuspendedRuns::Stage::free) << i;
  }

  TestClock clock;
  MemoryLogSink lines;
  proxy::testing::RecordingSink sink;
  SeededRandom random;
  std::unique_ptr<Loaded> loaded;
  std::unique_ptr<Server> server;
  std::unique_ptr<DetachedWorker> receiver, event_worker;
  HeldTransport transport;
  std::unique_ptr<net::DnsQuestions> questions;
  std::unique_ptr<Resumer> resumer;
  std::unique_ptr<EventWork> event;

 private:
  struct Text {
    std::string text;
  };
  SuspendWorld(Text configuration, std::vector<Describe> modules) {
    CommandLine line;
    line.config_file = "suspend.cfg";
    line.shared_megabytes = 64;
    modules.push_back(script::describe_core);
    modules.push_back(describe_waiter);
    loaded = load_configuration(line, modules, std::move(configuration.text));
    EXPECT_EQ(loaded->diagnostics.errors(), 0U) << conf::print(loaded->diagnostics, loaded->sources);
    ServerConfig config = make_server_config(loaded->configuration, line);
    config.offline = true;
    config.children = 1;
    config.log_level = 3;
    config.resolver.hosts_file = "";
    server = std::make_unique<Server>(*loaded, std::move(config), clock, lines);
    EXPECT_TRUE(server->prepare()) << server->error();
    // What the configuration names is kept fresh; here names are met at run time.
    shared().config_names.clear();
    const Surroundings around{sink, random};
    receiver = std::make_unique<DetachedWorker>(shared(), 0, shm::WorkerKind::datagram, 1, around);
    start_event_worker();
  }
  void start_event_worker() {
    event_worker =
        std::make_unique<DetachedWorker>(shared(), 1, shm::WorkerKind::event, -1, Surroundings{sink, random});
    net::ResolverOptions options;
    options.hosts_file = "";
    options.max_pending = 4;
    questions =
        std::make_unique<net::DnsQuestions>(clock, shared().dns, event_worker->log(), options, transport);
    resumer = std::make_unique<Resumer>(shared(), event_worker->services(), event_worker->pipeline(),
                                        *questions, event_worker->slot());
    event = std::make_unique<EventWork>(shared(), *questions, *resumer, event_worker->log());
    event->set_modules([this](const shm::Event& told) {
      mod::WorkerContext context = event_worker->module_context();
      ModuleTimers::pass_on(shared(), told.type, told.words, context);
    });
    event->start();
    questions->start();
    event->find_suspended();
  }
};

}  // namespace ser::srv::testing
