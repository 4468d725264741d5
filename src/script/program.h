// SPDX-License-Identifier: Apache-2.0
// Program: a checked script as compact instructions for the machine (vm.h). Immutable once compiled; shared
// by all workers.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/source_place.h"
#include "mod/argument.h"
#include "mod/regex.h"
#include "mod/spec.h"
#include "proxy/run.h"
#include "script/ast.h"
#include "script/variable.h"

namespace ser::script {

/// What an instruction does. `when`: the truth (bit 0 of a) with which a test jumps to target. `mode`: see
/// CallMode.
enum class Op : std::uint8_t {
  // Flow. "Result" is the value the block hands to its caller: that of its last action.
  end,          ///< end of a block: return with the result
  jump,         ///< to target
  loop,         ///< back to target; counts against the step limit
  jump_result,  ///< jump when the truth of the result (> 0) is `when`
  jump_if,      ///< pop; jump when its truth is `when`
  set_result,   ///< result = integer constant c
  ret,          ///< return integer constant c. a = 1: 0 ends the run (Kamailio's `return 0`)
  ret_pop,      ///< return the popped integer, as ret
  exit,         ///< end the run with integer constant c
  exit_pop,
  drop,         ///< end the run, drop the message (reply, branch)
  pop,          ///< forget c values
  while_begin,  ///< push the counter of a loop
  while_check,  ///< count the loop's round; too many: log, go to target
  route,        ///< run block c; mode a; target
  call,         ///< call site c; mode a; target; b = 1: its answer becomes $rc
  // Values.
  push_int,   ///< integer constant c
  push_text,  ///< text c
  push_null,
  push_var,         ///< variable c
  push_field,       ///< core field b
  push_field_text,  ///< core field b as a text
  push_concat,      ///< format c, null variables are empty
  store,            ///< pop into variable c
  unary,            ///< a: Operator
  binary,           ///< a: Operator
  match,            ///< pop text, push whether regex c matches
  // Tests that jump.
  test_method,     ///< method is b (or, when it is none we know by number, text c)
  test_text,       ///< field b equals text c, any case
  test_match,      ///< field b matches regex c
  test_int,        ///< field b compared (d: Operator) with integer constant c
  test_max_len,    ///< field b compared (d: Operator) with Settings::max_message_size
  test_myself,     ///< host of field b is ours; c = 1: its port counts, too
  test_network,    ///< address field b is in network c
  test_name,       ///< address field b is an address of host name c
  test_reverse,    ///< the name of address field b matches regex c
  test_null,       ///< variable c is null
  test_var_text,   ///< variable c equals text d
  test_var_int,    ///< variable c equals integer constant d
  test_var_match,  ///< variable c matches regex d
  // Switch: the value lies on the stack until the switch is left.
  to_int,      ///< convert the top to an integer
  case_int,    ///< jump when the top is integer constant c
  case_text,   ///< jump when the top is text c
  case_match,  ///< jump when the top matches regex c
};

/// What becomes of the answer of a function or block.
enum class CallMode : std::uint8_t {
  statement,   ///< it is the block's result
  jump_false,  ///< jump to target when not > 0
  jump_true,   ///< jump to target when > 0
  push_truth,  ///< push 1 or 0
  push_code,   ///< push it as it is
};

struct Instruction {
  Op op = Op::end;
  std::uint8_t a = 0;
  std::uint16_t b = 0;
  std::uint32_t c = 0;
  std::uint32_t d = 0;
  std::uint32_t target = 0;
};
static_assert(sizeof(Instruction) == 16);

/// A function of a module as the program calls it: by place in load order, so that it holds in every worker.
struct Native {
  mod::Thunk call = nullptr;
  std::uint16_t loaded = 0;
  bool sets_return_code = true;  ///< false: the core's own commands, which leave $rc alone
  std::string name;
  std::string module;
};

/// Where one argument of a call comes from.
struct ArgSource {
  enum class From : std::uint8_t {
    ready,
    format,
    stack_text,
    stack_integer,
    variable_text,
    variable_integer,
    format_integer
  };
  From from = From::ready;
  std::uint32_t index = 0;  ///< format or variable
};

/// One call in the script.
struct CallSite {
  std::uint16_t native = 0;
  std::uint8_t stack_values = 0;  ///< how many arguments lie on the stack, first one deepest
  bool all_ready = true;          ///< `ready` can be handed over as it is
  std::vector<mod::Arg> ready;    ///< kMaxArgs entries
  std::vector<ArgSource> sources;
};

struct FormatPiece {
  std::string_view literal;
  const BoundVariable* variable = nullptr;
};
using Format = std::vector<FormatPiece>;

struct Network {
  IpAddress address;
  std::uint8_t bits = 0;
};

/// One route block.
struct Block {
  BlockKind kind = BlockKind::route;
  std::string name;               ///< empty: request_route, reply_route …
  std::uint32_t begin = 0;        ///< first instruction
  std::uint32_t end = 0;          ///< one past the last
  std::uint16_t max_stack = 0;    ///< values it may have on the stack
  proxy::RouteKinds reached = 0;  ///< what kinds of runs may reach it
  SourcePlace place;
};
inline constexpr std::uint16_t kNoBlock = 0xFFFF;

struct Program {
  Dialect dialect = Dialect::kamailio;
  std::vector<Instruction> code;
  std::vector<SourcePlace> places;  ///< one per instruction
  std::vector<std::int64_t> integers;
  std::deque<std::string> texts;  ///< addresses never change
  std::vector<Format> formats;
  std::vector<std::unique_ptr<mod::Regex>> regexes;
  std::vector<Network> networks;
  std::vector<Native> natives;
  std::vector<CallSite> sites;
  std::vector<std::unique_ptr<BoundVariable>> variables;
  std::deque<mod::Variable> handles;  ///< of variables handed to functions
  std::vector<mod::CompiledArg> compiled;
  std::vector<std::string> locals;  ///< names of $var(…), by slot
  std::vector<Block> blocks;
  std::vector<std::uint16_t> on_break;  ///< modules with that hook, by place in load order
  std::vector<std::string>
      host_names;                    ///< host names written in the script: kept resolved by the event worker
  std::vector<std::string> files;    ///< names of the sources, by SourcePlace::file
  std::uint16_t request = kNoBlock;  ///< every request
  std::uint16_t reply = kNoBlock;    ///< every response
  std::uint16_t onsend = kNoBlock;
  std::uint32_t log_prefix = UINT32_MAX;  ///< format; UINT32_MAX: none

  /// The block of that kind and name; kNoBlock: none.
  std::uint16_t find(BlockKind kind, std::string_view name) const noexcept;
};

/// The whole program as text, one instruction a line; stable, for tests and for people.
std::string dump(const Program& program);
std::string_view to_string(Op op) noexcept;
/// "request_route", "failure_route" … Static storage.
std::string_view keyword_of(BlockKind kind) noexcept;
/// The bit of the blocks that a run of this kind begins with; 0 for `route[X]`.
proxy::RouteKinds route_kind(BlockKind kind) noexcept;

}  // namespace ser::script
