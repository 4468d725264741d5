// SPDX-License-Identifier: Apache-2.0
// A module made outside the server's tree: everything a script sees is declared in describe(), everything it
// does is one class. Built as a shared object against the headers of the server, loaded by its path:
//   loadmodule "/usr/local/lib/ser/greeter.so"
//   modparam("greeter", "word", "hello")
//   if (greet("$fU", 2)) …
#include "mod/spec.h"

namespace {

using namespace ser;

struct GreeterConfig {
  std::string word = "hello";
};

class Greeter final : public mod::Module {
 public:
  using Config = GreeterConfig;
  explicit Greeter(const GreeterConfig& config) : x_config(config) {}

  mod::Outcome greet(proxy::Run& run, std::string_view who, std::optional<std::int64_t> times) {
    if (who.empty()) return mod::Outcome::no();
    std::string line = "X-Greeting:";
    for (std::int64_t i = 0; i < times.value_or(1) && i < 10; ++i) line += " " + x_config.word;
    line.append(" ").append(who).append("\r\n");
    // Header lines are checked, so that a message cannot put lines of its own into ours.
    sip::EditList* edits = run.edits();
    if (edits == nullptr || !edits->append_header(line)) return mod::Outcome::no();
    run.services().counters.add(x_greeted);
    return mod::Outcome::yes();
  }

  CounterId x_greeted;

 private:
  GreeterConfig x_config;
};

mod::ModuleSpec describe() {
  return mod::SpecBuilder<Greeter>("greeter", "Greets people in a header field.")
      .param(&GreeterConfig::word, "word", "What to say.")
      .function<&Greeter::greet>("greet", "Adds an X-Greeting header field.", {"who", "times"},
                                 kinds(proxy::RouteKind::request), "1 greeted, -1 nobody to greet")
      .counter(&Greeter::x_greeted, "greeted", "People greeted.")
      .done();
}

}  // namespace

/// What the server looks for in a shared object. The number of the interface is checked when it is loaded.
extern "C" __attribute__((visibility("default")))
const ser::mod::ModuleEntry ser_module = {ser::mod::kAbi, &describe};
