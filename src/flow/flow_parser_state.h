// SPDX-License-Identifier: Apache-2.0
// The state of reading a flow file, shared by the files of the parser.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.h"
#include "flow/flow_cursor.h"
#include "flow/flow_file.h"

namespace ser::flow {

class FlowParser {
 public:
  FlowParser(FlowFile& out, std::string_view text, conf::Diagnostics& diagnostics);
  void run();

 private:
  using Lines = std::vector<Line>;

  // flow_parser.cpp: settings.
  Lines take_block(bool raw);
  void statement(const Line& line);
  bool setting(std::string_view word, Cursor& cursor, const Line& line);
  bool server_setting(std::string_view word, Cursor& cursor, ServerSpec& server, const Line& line);
  void config(Cursor& cursor, ServerSpec& server, const Line& line);
  void server(Cursor& cursor);
  void actor(Cursor& cursor);
  void scenario(Cursor& cursor);
  std::optional<SockAddr> address(Cursor& cursor, std::string_view what);
  ServerSpec& default_server();

  // flow_steps.cpp: steps.
  bool step(std::string_view word, Cursor& cursor);
  bool actor_step(Cursor& cursor, const Text& actor);
  bool is_server(std::string_view name) const;
  void send(Cursor& cursor, const std::string& actor);
  void send_tail(Cursor& cursor, SendStep& step);
  void receive(Cursor& cursor, const std::string& actor);
  bool receive_start(Cursor& cursor, ReceiveStep& step);
  void receive_tail(Cursor& cursor, ReceiveStep& step);
  void quiet(Cursor& cursor, std::string_view word);
  void link(Cursor& cursor, bool everywhere);
  void packet_rule(Cursor& cursor, std::string_view word);
  void dns_name(Cursor& cursor);
  void log(Cursor& cursor);
  void counter(Cursor& cursor);
  void set(Cursor& cursor);
  std::string party(Cursor& cursor, bool servers = true);
  template <class T>
  void add_step(Cursor& cursor, T what);

  // flow_block.cpp: the lines below a step.
  Block block(bool expects);
  void block_line(const Line& line, bool expects, Block& out);
  void body_line(const Line& line, Block& out);
  void field_line(Cursor& cursor, const Line& line, bool expects, Block& out);
  void order_line(Cursor& cursor, Block& out);
  std::vector<FieldLine> actor_fields(ActorSpec& actor);

  FlowFile& x_out;
  conf::Diagnostics& x_diagnostics;
  Lines x_lines;
  std::size_t x_next = 0;
  Setting* x_setting;  ///< the common one, or that of the scenario at hand
  std::set<std::string, std::less<>> x_common_parties, x_parties;
};

/// Every first word of a line that is not an actor.
std::vector<std::string_view> keywords();

}  // namespace ser::flow
