// SPDX-License-Identifier: Apache-2.0
#include "srv/command_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "srv/command_options.h"

namespace ser::srv {

namespace {

constexpr std::string_view kReplay = "replay";
constexpr std::string_view kTest = "test";

/// One walk over the arguments, getopt's rules: clustered letters, -fFILE or -f FILE, --long=VALUE or --long
/// VALUE, "--" ends.
class Parser {
 public:
  explicit Parser(std::span<const char* const> arguments) : x_arguments(arguments) {}

  CommandLine run() {
    if (!x_arguments.empty() && std::string_view(x_arguments[0]) == kReplay) {
      x_line.task = Task::replay;
      ++x_next;
    } else if (!x_arguments.empty() && std::string_view(x_arguments[0]) == kTest) {
      x_line.task = Task::test;
      x_options = test_options();
      x_help = "ser test --help";
      ++x_next;
    }
    const bool testing = x_line.task == Task::test;
    while (x_next < x_arguments.size()) {
      const std::string_view word = x_arguments[x_next++];
      if (word == "--") break;
      if (word.starts_with("--")) {
        long_option(word.substr(2));
      } else if (word.size() > 1 && word[0] == '-') {
        letters(word.substr(1));
      } else if (x_line.task == Task::replay && x_line.replay_file.empty()) {
        x_line.replay_file = word;
      } else if (testing) {
        x_line.test.files.emplace_back(word);
      } else {
        x_line.errors.push_back(fmt::format("'{}' is no option; did you mean '-f {}'?", word, word));
      }
    }
    if (x_line.task == Task::replay && x_line.replay_file.empty())
      x_line.errors.emplace_back("replay needs a crash file: ser replay FILE");
    for (; testing && x_next < x_arguments.size(); ++x_next)
      x_line.test.files.emplace_back(x_arguments[x_next]);
    if (x_line.task == Task::test && x_line.test.files.empty())
      x_line.errors.emplace_back("test needs flow files: ser test FILE…");
    for (; x_next < x_arguments.size(); ++x_next) {
      x_line.errors.push_back(
          fmt::format("'{}' is no option; ser takes no other arguments", x_arguments[x_next]));
    }
    return std::move(x_line);
  }

 private:
  void letters(std::string_view cluster) {
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      const CommandOption* option = find_option(x_options, cluster[i]);
      if (option == nullptr) {
        x_line.errors.push_back(
            fmt::format("unknown option -{}; '{}' lists the options", cluster[i], x_help));
        return;
      }
      if (option->argument.empty()) {
        apply(*option, {}, fmt::format("-{}", option->letter));
        continue;
      }
      const std::string_view rest = cluster.substr(i + 1);
      apply_with_argument(*option, rest.empty() ? std::nullopt : std::optional(rest),
                          fmt::format("-{}", option->letter));
      return;
    }
  }

  void long_option(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const CommandOption* option = find_option(x_options, name);
    if (option == nullptr) {
      const std::string_view near = nearest_option(x_options, name);
      x_line.errors.push_back(near.empty()
                                  ? fmt::format("unknown option --{}; '{}' lists the options", name, x_help)
                                  : fmt::format("unknown option --{}; did you mean --{}?", name, near));
      return;
    }
    const std::string shown = fmt::format("--{}", name);
    if (option->argument.starts_with('[')) {
      apply(*option, equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1), shown);
    } else if (!option->argument.empty()) {
      apply_with_argument(
          *option, equals == std::string_view::npos ? std::nullopt : std::optional(text.substr(equals + 1)),
          shown);
    } else if (equals != std::string_view::npos) {
      x_line.errors.push_back(fmt::format("{} takes no value", shown));
    } else {
      apply(*option, {}, shown);
    }
  }

  void apply_with_argument(const CommandOption& option, std::optional<std::string_view> value,
                           const std::string& shown) {
    if (!value) {
      if (x_next >= x_arguments.size()) {
        x_line.errors.push_back(fmt::format("{} needs a value: {}", shown, option.argument));
        return;
      }
      value = x_arguments[x_next++];
    }
    apply(option, *value, shown);
  }

  void apply(const CommandOption& option, std::string_view value, const std::string& shown) {
    if (!option.no_effect.empty()) {
      x_line.notices.push_back(fmt::format("{} has no effect: {}", shown, option.no_effect));
    }
    const std::string wrong = option.store(x_line, value);
    if (!wrong.empty()) x_line.errors.push_back(fmt::format("{} {}: {}", shown, value, wrong));
  }

  std::span<const char* const> x_arguments;
  std::size_t x_next = 0;
  std::span<const CommandOption> x_options = command_options();
  std::string_view x_help = "ser --help";
  CommandLine x_line;
};

}  // namespace

CommandLine parse_command_line(std::span<const char* const> arguments) {
  return Parser(arguments).run();
}

namespace {

/// "--junit=FILE", "--coverage[=FILE]", "-f FILE".
std::string spelled(const CommandOption& option, std::string_view dash) {
  std::string head;
  if (option.letter != 0) head += fmt::format("{}{}", dash, option.letter);
  if (!option.name.empty())
    head += fmt::format("{}{}{}{}", option.letter != 0 ? ", " : "", dash, dash, option.name);
  if (!option.argument.empty()) {
    const bool optional = option.argument.starts_with('[');
    head += fmt::format("{}{}", optional ? "" : option.name.empty() ? " " : "=", option.argument);
  }
  return head;
}

std::string help_of(std::span<const CommandOption> options) {
  std::string text;
  for (const CommandOption& option : options) {
    const std::string head = (option.letter != 0 ? "  " : "      ") + spelled(option, "-");
    text += head.size() < 28 ? fmt::format("{:<28}{}\n", head, option.help)
                             : fmt::format("{}\n{:28}{}\n", head, "", option.help);
  }
  return text;
}

std::string man_of(std::span<const CommandOption> options) {
  std::string text;
  for (const CommandOption& option : options) {
    text += fmt::format(".TP\n.B {}\n{}", spelled(option, "\\-"), option.help);
    if (!option.no_effect.empty()) text += fmt::format(" No effect: {}.", option.no_effect);
    text += "\n";
  }
  return text;
}

}  // namespace

std::string help_text() {
  return "ser: a SIP proxy, registrar and router driven by a routing script\n\n"
         "Usage: ser [options]\n"
         "       ser test FILE… [options]    test a configuration without a network (ser test --help)\n"
         "       ser replay FILE [options]   the message of a crash file once more, without a network\n\n"
         "Options:\n" +
         help_of(command_options()) +
         "\nSignals: TERM, INT stop in order; USR1 writes statistics; HUP is logged.\n"
         "Exit status: 0 after an orderly stop or a good check, 1 on any error.\n"
         "Documentation: README.md, docs/, and 'ser --doc=MODULE' for a module's functions and parameters.\n";
}

std::string test_help_text() {
  return "ser test: runs the scenarios of flow files against your configuration, without a network\n\n"
         "Usage: ser test FILE… [options]\n\nOptions:\n" +
         help_of(test_options()) +
         "\nExit status: 0 all passed, 1 a failure or an error in a file, 2 wrong usage.\n"
         "Documentation: docs/testing.md.\n";
}

std::string man_options() {
  return man_of(command_options());
}

std::string man_test_options() {
  return man_of(test_options());
}

namespace {

/// What zsh completes an argument with, by its name in the help.
std::string_view zsh_action(std::string_view argument) {
  if (argument == "FILE" || argument == "[=FILE]") return "_files";
  if (argument == "DIR") return "_files -/";
  if (argument == "USER") return "_users";
  if (argument == "GROUP") return "_groups";
  return " ";
}

/// All options: those of `ser test` follow the others, each spelling once.
std::vector<CommandOption> completed_options() {
  std::vector<CommandOption> all(command_options().begin(), command_options().end());
  for (const CommandOption& option : test_options()) {
    CommandOption own = option;
    if (option.letter != 0 && find_option(command_options(), option.letter) != nullptr) own.letter = 0;
    if (find_option(command_options(), option.name) != nullptr) own.name = {};
    if (own.letter != 0 || !own.name.empty()) all.push_back(own);
  }
  return all;
}

/// One specification of _arguments for each spelling: `'-f[help]:FILE:_files'`.
std::string zsh_completion() {
  std::string text = fmt::format("#compdef ser\n_arguments '1:task:({} {})' '*:file:_files'", kReplay, kTest);
  for (const CommandOption& option : completed_options()) {
    std::string rest = "[";
    for (const char c : option.help) {
      if (c == '[' || c == ']' || c == ':') rest += '\\';
      rest += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    rest += ']';
    if (!option.argument.empty()) {
      std::string argument(option.argument.starts_with('[') ? "FILE" : option.argument);
      std::replace(argument.begin(), argument.end(), ':', '.');
      rest += fmt::format(":{}:{}", argument, zsh_action(option.argument));
    }
    if (option.letter != 0)
      text += fmt::format(" \\\n  '*-{}{}{}'", option.letter, option.argument.empty() ? "" : "+", rest);
    if (!option.name.empty())
      text += fmt::format(" \\\n  '*--{}{}{}'", option.name, option.argument.empty() ? "" : "=", rest);
  }
  return text + "\n";
}

}  // namespace

std::string completion_script(std::string_view shell) {
  std::string words = fmt::format("{} {} ", kReplay, kTest);
  for (const CommandOption& option : completed_options()) {
    if (option.letter != 0) words += fmt::format("-{} ", option.letter);
    const bool wants = !option.argument.empty() && !option.argument.starts_with('[');
    if (!option.name.empty()) words += fmt::format("--{}{} ", option.name, wants ? "=" : "");
  }
  if (!words.empty()) words.pop_back();
  if (shell == "bash") {
    return fmt::format(
        "# bash completion for ser\n_ser() {{\n  local cur=${{COMP_WORDS[COMP_CWORD]}} "
        "prev=${{COMP_WORDS[COMP_CWORD-1]}}\n"
        "  case $prev in\n    -f|-P|-G|-i|-s|replay|test|*.flow) COMPREPLY=($(compgen -f -- \"$cur\")); "
        "return ;;\n"
        "    -w|-t|-Y|-L) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
        "    -u) COMPREPLY=($(compgen -u -- \"$cur\")); return ;;\n    -g) COMPREPLY=($(compgen -g -- "
        "\"$cur\")); return ;;\n  esac\n"
        "  COMPREPLY=($(compgen -W \"{}\" -- \"$cur\"))\n"
        "  [[ ${{COMPREPLY[0]}} == *= ]] && compopt -o nospace\n}}\ncomplete -F _ser ser\n",
        words);
  }
  if (shell == "zsh") return zsh_completion();
  if (shell == "fish") {
    std::string text = fmt::format(
        "# fish completion for ser\ncomplete -c ser -n __fish_is_first_arg -a {} -d 'Replay a crash file'\n"
        "complete -c ser -n __fish_is_first_arg -a {} -d 'Run flow files against a configuration'\n",
        kReplay, kTest);
    for (const CommandOption& option : completed_options()) {
      text += "complete -c ser";
      if (option.letter != 0) text += fmt::format(" -s {}", option.letter);
      if (!option.name.empty()) text += fmt::format(" -l {}", option.name);
      if (!option.argument.empty() && !option.argument.starts_with('[')) text += " -r";
      std::string help(option.help);
      for (std::size_t at = 0; (at = help.find('\'', at)) != std::string::npos; at += 2)
        help.insert(at, "\\");
      text += fmt::format(" -d '{}'\n", help);
    }
    return text;
  }
  return {};
}

}  // namespace ser::srv
