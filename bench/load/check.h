// SPDX-License-Identifier: Apache-2.0
// The checks. Written from RFC 3261 alone and without the server's message library, so that both can be wrong
// only independently of each other.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "load/options.h"
#include "load/template.h"

namespace ser::bench {

/// Which transaction a message belongs to, by our Via branch.
struct Id {
  std::uint32_t slot = 0;
  std::uint64_t sequence = 0;
};

/// Finds our branch in `message`. False: there is none, or it is damaged.
bool find_id(std::string_view message, std::string_view id_prefix, Id& out);

/// The header fields a proxy may touch, as found in a message, and the rest.
struct Parts {
  static constexpr unsigned kMaxVias = 4;
  std::string_view first_line;      ///< without CRLF
  std::string_view vias[kMaxVias];  ///< values, one per Via, in order; comma lists split
  unsigned via_count = 0;
  std::string_view via_lines;           ///< all Via lines if they stand together, else empty
  std::string_view record_route;        ///< the first Record-Route value; empty: none
  std::string_view record_route_lines;  ///< all Record-Route lines if they stand together, else empty
  std::string_view max_forwards;        ///< value; empty: none
  std::string_view rest;   ///< from the first other header field to the end, if no touched field follows
  bool scattered = false;  ///< a touched field stands after another one: `rest` does not hold all
};

/// One pass over the header fields. Returns nullptr, or what is wrong (static text).
const char* split(std::string_view message, Parts& out);

/// `got` is the Via value `sent_by` and `branch` tell, and nothing but received and rport was added.
bool own_via(std::string_view got, std::string_view sent_by, std::string_view branch);

class Checker {
 public:
  Checker(const Options& options, const Messages& messages, std::string_view server_sent_by)
      : x_options(&options), x_messages(&messages), x_server(server_sent_by) {}

  /// A request as the callee got it against the one sent. True: all well; else why() tells. `route_size`:
  /// bytes of Route lines behind Max-Forwards in `sent`, which the server takes away.
  bool request(std::string_view got, std::string_view sent, Parts& parts, std::size_t route_size = 0);
  /// What a reply copies stands together, and Record-Route has no more than `route_room` bytes.
  bool can_be_answered(const Parts& parts, std::size_t route_room);
  /// What the callee's reply must have become. `record_route_lines`: what the callee sent back.
  bool forwarded_reply(std::string_view got, const Id& id, std::string_view record_route_lines);
  /// The server's own reply to `sent`: 200 (w6), or 100, which needs no To tag.
  bool local_reply(std::string_view got, std::string_view sent, const Id& id, unsigned status = 200);
  const std::string& why() const { return x_why; }

 private:
  bool fail(std::string text);
  bool compare_rest(std::string_view what, std::string_view got, std::string_view want);
  bool compare_lines(std::string_view what, std::string_view got, std::string_view want);
  bool reply_head(std::string_view got, const Id& id, std::string_view status, Parts& parts);
  std::string_view branch(const Id& id);

  const Options* x_options;
  const Messages* x_messages;
  std::string x_server;
  std::string x_why;
  std::string x_branch;
  char x_want[kMaxMessage] = {};
};

}  // namespace ser::bench
