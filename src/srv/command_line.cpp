// SPDX-License-Identifier: Apache-2.0
#include "srv/command_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "srv/command_options.h"

namespace ser::srv {

namespace {

constexpr std::string_view kReplay = "replay";

/// One walk over the arguments, getopt's rules: clustered letters, -fFILE or -f FILE, --long=VALUE or --long
/// VALUE, "--" ends.
class Parser {
 public:
  explicit Parser(std::span<const char* const> arguments) : x_arguments(arguments) {}

  CommandLine run() {
    if (!x_arguments.empty() && std::string_view(x_arguments[0]) == kReplay) {
      x_line.task = Task::replay;
      ++x_next;
    }
    while (x_next < x_arguments.size()) {
      const std::string_view word = x_arguments[x_next++];
      if (word == "--") break;
      if (word.starts_with("--")) {
        long_option(word.substr(2));
      } else if (word.size() > 1 && word[0] == '-') {
        letters(word.substr(1));
      } else if (x_line.task == Task::replay && x_line.replay_file.empty()) {
        x_line.replay_file = word;
      } else {
        x_line.errors.push_back(fmt::format("'{}' is no option; did you mean '-f {}'?", word, word));
      }
    }
    if (x_line.task == Task::replay && x_line.replay_file.empty())
      x_line.errors.emplace_back("replay needs a crash file: ser replay FILE");
    for (; x_next < x_arguments.size(); ++x_next) {
      x_line.errors.push_back(
          fmt::format("'{}' is no option; ser takes no other arguments", x_arguments[x_next]));
    }
    return std::move(x_line);
  }

 private:
  void letters(std::string_view cluster) {
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      const CommandOption* option = find_command_option(cluster[i]);
      if (option == nullptr) {
        x_line.errors.push_back(
            fmt::format("unknown option -{}; 'ser --help' lists the options", cluster[i]));
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
    const CommandOption* option = find_command_option(name);
    if (option == nullptr) {
      const std::string_view near = nearest_command_option(name);
      x_line.errors.push_back(near.empty()
                                  ? fmt::format("unknown option --{}; 'ser --help' lists the options", name)
                                  : fmt::format("unknown option --{}; did you mean --{}?", name, near));
      return;
    }
    const std::string shown = fmt::format("--{}", name);
    if (!option->argument.empty()) {
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
  CommandLine x_line;
};

}  // namespace

CommandLine parse_command_line(std::span<const char* const> arguments) {
  return Parser(arguments).run();
}

std::string help_text() {
  std::string text =
      "ser: a SIP proxy, registrar and router driven by a routing script\n\n"
      "Usage: ser [options]\n"
      "       ser replay FILE [options]   the message of a crash file once more, without a network\n\n"
      "Options:\n";
  for (const CommandOption& option : command_options()) {
    std::string head = "  ";
    if (option.letter != 0) head += fmt::format("-{}", option.letter);
    if (!option.name.empty()) head += fmt::format("{}--{}", option.letter != 0 ? ", " : "    ", option.name);
    if (!option.argument.empty())
      head += fmt::format("{}{}", option.name.empty() ? " " : "=", option.argument);
    text += head.size() < 28 ? fmt::format("{:<28}{}\n", head, option.help)
                             : fmt::format("{}\n{:28}{}\n", head, "", option.help);
  }
  text +=
      "\nSignals: TERM, INT stop in order; USR1 writes statistics; HUP is logged.\n"
      "Exit status: 0 after an orderly stop or a good check, 1 on any error.\n"
      "Documentation: README.md, docs/, and 'ser --doc=MODULE' for a module's functions and parameters.\n";
  return text;
}

std::string man_options() {
  std::string text;
  for (const CommandOption& option : command_options()) {
    text += ".TP\n.B ";
    if (option.letter != 0) text += fmt::format("\\-{}", option.letter);
    if (!option.name.empty()) text += fmt::format("{}\\-\\-{}", option.letter != 0 ? ", " : "", option.name);
    if (!option.argument.empty())
      text += fmt::format("{}{}", option.name.empty() ? " " : "=", option.argument);
    text += fmt::format("\n{}", option.help);
    if (!option.no_effect.empty()) text += fmt::format(" No effect: {}.", option.no_effect);
    text += "\n";
  }
  return text;
}

namespace {

/// What zsh completes an argument with, by its name in the help.
std::string_view zsh_action(std::string_view argument) {
  if (argument == "FILE") return "_files";
  if (argument == "DIR") return "_files -/";
  if (argument == "USER") return "_users";
  if (argument == "GROUP") return "_groups";
  return " ";
}

/// One specification of _arguments for each spelling: `'-f[help]:FILE:_files'`.
std::string zsh_completion() {
  std::string text = fmt::format("#compdef ser\n_arguments '1:task:({})' '2:crash file:_files'", kReplay);
  for (const CommandOption& option : command_options()) {
    std::string rest = "[";
    for (const char c : option.help) {
      if (c == '[' || c == ']' || c == ':') rest += '\\';
      rest += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    rest += ']';
    if (!option.argument.empty()) {
      std::string argument(option.argument);
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
  std::string words = fmt::format("{} ", kReplay);
  for (const CommandOption& option : command_options()) {
    if (option.letter != 0) words += fmt::format("-{} ", option.letter);
    if (!option.name.empty())
      words += fmt::format("--{}{} ", option.name, option.argument.empty() ? "" : "=");
  }
  if (!words.empty()) words.pop_back();
  if (shell == "bash") {
    return fmt::format(
        "# bash completion for ser\n_ser() {{\n  local cur=${{COMP_WORDS[COMP_CWORD]}} "
        "prev=${{COMP_WORDS[COMP_CWORD-1]}}\n"
        "  case $prev in\n    -f|-P|-G|-i|-s|replay) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
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
        "# fish completion for ser\ncomplete -c ser -n __fish_is_first_arg -a {} -d 'Replay a crash file'\n",
        kReplay);
    for (const CommandOption& option : command_options()) {
      text += "complete -c ser";
      if (option.letter != 0) text += fmt::format(" -s {}", option.letter);
      if (!option.name.empty()) text += fmt::format(" -l {}", option.name);
      if (!option.argument.empty()) text += " -r";
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
