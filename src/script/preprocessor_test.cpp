// SPDX-License-Identifier: Apache-2.0
// Conditionals, defines, substitutions, includes; and the choice of the dialect.
#include "script/preprocessor.h"

#include <gtest/gtest.h>

#include <string>

namespace ser::script {
namespace {

class Preprocess : public ::testing::Test {
 protected:
  /// Texts of all tokens, blank-separated; errors as "!CODE@file:line:column".
  std::string run(std::string_view text) {
    conf::SourceMap sources;
    conf::Diagnostics diagnostics;
    Ast ast;
    ast.dialect.dialect = Dialect::kamailio;
    Preprocessor preprocessor(reader, options, ast, sources, diagnostics);
    std::string out;
    tokens = preprocessor.run("dir/main.cfg", text);
    for (const Token& token : tokens) {
      if (token.kind == TokenKind::end) break;
      if (!out.empty()) out += ' ';
      out += token.kind == TokenKind::string ? '"' + std::string(token.text) + '"' : std::string(token.text);
    }
    for (const conf::Diagnostic& one : diagnostics.sorted()) {
      out += std::string(" !") + one.code + "@" + std::string(sources.name(one.range.file)) + ":" +
             std::to_string(one.range.line) + ":" + std::to_string(one.range.column);
    }
    return out;
  }

  MemorySourceReader reader;
  ParseOptions options;
  std::vector<Token> tokens;  ///< ranges and kinds only: the texts go with the tree
};

TEST_F(Preprocess, conditionals) {
  EXPECT_EQ(run("#!define A\n#!ifdef A\na\n#!else\nb\n#!endif\nc"), "a c");
  EXPECT_EQ(run("#!ifdef A\na\n#!else\nb\n#!endif\nc"), "b c");
  EXPECT_EQ(run("#!ifndef A\na\n#!endif"), "a");
  EXPECT_EQ(run("!!ifdef A\na\n!!else\nb\n!!endif"), "b");
  EXPECT_EQ(run("#!ifdef A\n#!ifdef B\nx\n#!else\ny\n#!endif\n#!else\nz\n#!endif"), "z");
  EXPECT_EQ(run("#!ifdef A\n  ALTER TABLE 'x\" /* `\n#!endif\nb"), "b") << "skipped text is not lexed";
  EXPECT_EQ(run("  #!ifdef A\n a\n  #!endif\n!b"), "! b");
}

TEST_F(Preprocess, faulty_conditionals) {
  EXPECT_EQ(run("#!ifdef A\nx"), " !E0113@dir/main.cfg:1:1");
  EXPECT_EQ(run("a\n#!endif\n#!else\nb"), "a b !E0114@dir/main.cfg:2:1 !E0114@dir/main.cfg:3:1");
  EXPECT_EQ(run("#!ifndef A\na\n#!else\nb\n#!else\nc\n#!endif"), "a !E0114@dir/main.cfg:5:1");
  EXPECT_EQ(run("#!ifdef\nx\n#!endif"), " !E0110@dir/main.cfg:1:1");
  EXPECT_EQ(run("#!ifdfe A\nx"), "x !E0116@dir/main.cfg:1:1");
}

TEST_F(Preprocess, defines) {
  EXPECT_EQ(run("#!define A 1\nA AA \"A\" $A"), "1 AA \"A\" $A");
  EXPECT_EQ(run("#!define A\nA"), "A");
  EXPECT_EQ(run("#!define A \"x\" \"y\"\nA"), "\"x\" \"y\"");
  EXPECT_EQ(run("#!define A B + 1 # why\n#!define B 2\nA"), "2 + 1");
  EXPECT_EQ(run("#!define A 1 + \\\n 2\nA b"), "1 + 2 b");
  EXPECT_EQ(run("#!define A A\nA"), "A") << "a define inside of itself stays";
  EXPECT_EQ(run("#!trydef A 1\n#!trydefine A 2\nA"), "1");
  EXPECT_EQ(run("#!def A 1\n#!redefine A 2\n#!redef A 3\nA"), "3");
  EXPECT_EQ(run("#!define A 1\n#!define A 2\nA"), "1 !E0111@dir/main.cfg:2:1");
  EXPECT_EQ(run("#!define A-B 1\n#!define 1A\n#!define"),
            " !E0110@dir/main.cfg:1:1 !E0110@dir/main.cfg:2:1 !E0110@dir/main.cfg:3:1");
  EXPECT_EQ(run("#!define A 5\n#!define S \"t\"\n$defn(A) $def(S) $def(A) $def(N)"),
            "5 \"t\" \"5\" $def(N) !E0115@dir/main.cfg:3:26");
}

TEST_F(Preprocess, values_are_shown_where_their_name_stands) {
  EXPECT_EQ(run("#!define A 1.2.3\n\n  x A"), "x 1.2.3 !E0104@dir/main.cfg:3:5");
  ASSERT_GE(tokens.size(), 2U);
  EXPECT_EQ(tokens[1].range.line, 3U);
  EXPECT_EQ(tokens[1].range.column, 5U);
  EXPECT_TRUE(tokens[1].from_define);
}

TEST_F(Preprocess, defines_from_outside) {
  options.defines = {"WITH_X", "DBURL=\"sqlite:////tmp/a=b\"", "N=3"};
  EXPECT_EQ(run("#!ifdef WITH_X\n#!trydef N 9\nDBURL N\n#!endif"), "\"sqlite:////tmp/a=b\" 3");
  options.defines = {"", "9X", "a b=1"};
  EXPECT_EQ(run("x"), "x !E0110@dir/main.cfg:0:0 !E0110@dir/main.cfg:0:0 !E0110@dir/main.cfg:0:0");
}

TEST_F(Preprocess, expressions) {
  struct Row {
    const char* expression;
    bool holds;
  };
  constexpr Row kRows[] = {
      {"1", true},
      {"0", false},
      {"A == 3", true},
      {"A > 3 || B == \"x\"", true},
      {"!A", false},
      {"(A + 1) * 2 == 8", true},
      {"defined A && !defined(Z)", true},
      {"Z", false},
      {"Z == 0", true},
      {"B != \"y\"", true},
      {"-A < 0", true},
      {"A / 2 == 1", true},
      {"\"a\" + \"b\" == \"ab\"", true},
      {"FLAG", true},
      {"A - 1 - 1 == 1", true},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(run(std::string("#!define A 3\n#!define B \"x\"\n#!define FLAG\n#!ifexp ") + row.expression +
                  "\nyes\n#!else\nno\n#!endif"),
              row.holds ? "yes" : "no")
        << row.expression;
  }
  for (const char* bad : {"", "1 +", "(1", "1 1", "1 / 0", "\"a\" * 2", "defined", "$x", "\"open"}) {
    EXPECT_EQ(run(std::string("#!ifexp ") + bad + "\nyes\n#!endif"), " !E0114@dir/main.cfg:1:1") << bad;
  }
}

TEST_F(Preprocess, substitutions) {
  EXPECT_EQ(run("#!subst \"/IP/10.0.0.1/\"\n\"IP IP\" IP '*IP'"), "\"10.0.0.1 IP\" IP \"*10.0.0.1\"");
  EXPECT_EQ(run("#!subst \"/(a)(b)?/<\\1\\2>/gi\"\n\"abcA\""), "\"<ab>c<A>\"");
  EXPECT_EQ(run("#!substdef \"!PORT!5061!g\"\n\"x:PORT\" PORT"), "\"x:5061\" 5061");
  EXPECT_EQ(run("#!substdefs \"!NAME!a b!g\"\n\"NAME\" NAME $x(NAME)"), "\"a b\" \"a b\" $x(a b)");
  EXPECT_EQ(run("#!subst \"/x*/-/g\"\n\"axb\""), "\"-a-b-\"") << "empty matches end";
  EXPECT_EQ(
      run("#!subst \"/(/x/\"\n#!subst \"/a/\"\n#!subst a\n#!subst \"/a/b/q\"\n#!substdef \"/a.b/c/\"\n"),
      " !E0118@dir/main.cfg:1:1 !E0118@dir/main.cfg:2:1 !E0118@dir/main.cfg:3:1 !E0118@dir/main.cfg:4:1"
      " !E0118@dir/main.cfg:5:1");
}

TEST_F(Preprocess, includes) {
  reader.add("dir/a.cfg", "a\ninclude_file \"sub/b.cfg\"\na2");
  reader.add("dir/sub/b.cfg", "b 1.2.3\n#!define FROM_B 7");
  EXPECT_EQ(run("x\ninclude_file \"a.cfg\"\nimport_file \"absent.cfg\"\ny FROM_B"),
            "x a b 1.2.3 a2 y 7 !E0104@dir/sub/b.cfg:1:3");
  EXPECT_EQ(run("include_file \"absent.cfg\""), " !E0117@dir/main.cfg:1:14");
  EXPECT_EQ(run("#!import_file \"absent.cfg\"\n#!include_file \"sub/b.cfg\""),
            "b 1.2.3 !E0104@dir/sub/b.cfg:1:3");
  EXPECT_EQ(run("include_file x"), "x !E0117@dir/main.cfg:1:1");
  EXPECT_EQ(run("include_file \"\""), " !E0117@dir/main.cfg:1:14");
}

TEST_F(Preprocess, include_bounds) {
  reader.add("dir/self.cfg", "a include_file \"self.cfg\" b");
  EXPECT_EQ(run("include_file \"self.cfg\""), "a b !E0117@dir/self.cfg:1:16");
  for (int i = 0; i < 30; ++i) {
    reader.add("dir/" + std::to_string(i), "include_file \"" + std::to_string(i + 1) + "\"");
  }
  EXPECT_NE(run("include_file \"0\"").find("!E0117"), std::string::npos);
  reader.add("dir/open.cfg", "#!ifdef A\nx");
  EXPECT_EQ(run("include_file \"open.cfg\"\ny"), "y !E0113@dir/open.cfg:1:1");
  reader.add("dir/close.cfg", "#!endif");
  EXPECT_EQ(run("#!ifndef A\ninclude_file \"close.cfg\"\ny\n#!endif"), "y !E0114@dir/close.cfg:1:1");
}

TEST_F(Preprocess, expansion_is_bounded) {
  std::string text;
  for (int i = 0; i < 14; ++i) {
    text += "#!define A" + std::to_string(i);
    for (int k = 0; k < 16; ++k) text += " A" + std::to_string(i + 1);
    text += '\n';
  }
  run(text + "#!define A14 /* nothing */\nA0");
  EXPECT_LE(tokens.size(), Preprocessor::kMaxTokens + 1);
}

TEST_F(Preprocess, environment) {
  EXPECT_EQ(run("#!defenv HOME\n#!trydefenv HOME\nHOME"), "HOME !E0115@dir/main.cfg:1:1");
  options.environment = [](const char* name) -> const char* {
    return std::string_view(name) == "IP" ? "10.0.0.1" : nullptr;
  };
  EXPECT_EQ(run("#!defenv IP\n#!defenvs NAME=IP\nIP NAME"), "10.0.0.1 \"10.0.0.1\"");
}

TEST_F(Preprocess, loaded_modules_are_defined) {
  EXPECT_EQ(run("loadmodule \"/x/tm.so\"\n#!ifdef MOD_tm\nyes\n#!endif"), "loadmodule \"/x/tm.so\" yes");
}

TEST(Dialect, choice) {
  struct Row {
    const char* text;
    Dialect dialect;
    const char* reason;
  };
  constexpr Row kRows[] = {
      {"#!SER\n$x", Dialect::ser, "its first line is `#!SER`"},
      {"#!KAMAILIO\nroute{}", Dialect::kamailio, "its first line is `#!KAMAILIO`"},
      {"!!OPENSER\n", Dialect::kamailio, "its first line is `!!OPENSER`"},
      {"#!ALL\r\n", Dialect::kamailio, "its first line is `#!ALL`"},
      {"# $Id$\nroute\n{ log(\"$x\"); }", Dialect::ser,
       "it has `route{` and no `#!` directive, `request_route`, `$` variable or `event_route`"},
      {"route{ /* $x /* */ $y */ }", Dialect::ser,
       "it has `route{` and no `#!` directive, `request_route`, `$` variable or `event_route`"},
      {"#!/usr/sbin/ser\nroute{}", Dialect::ser,
       "it has `route{` and no `#!` directive, `request_route`, `$` variable or `event_route`"},
      {"route{ $x = 1; }", Dialect::kamailio, "it has a `$` variable"},
      {"#!ifdef A\nroute{}", Dialect::kamailio, "it has a `#!` directive"},
      {"request_route{}", Dialect::kamailio, "it has a `request_route`"},
      {"route{} event_route[a:b]{}", Dialect::kamailio, "it has an `event_route`"},
      {"route[1]{}", Dialect::kamailio, "it has no `route{`"},
      {"", Dialect::kamailio, "it has no `route{`"},
  };
  for (const Row& row : kRows) {
    const DialectChoice choice = choose_dialect(row.text);
    EXPECT_EQ(choice.dialect, row.dialect) << row.text;
    EXPECT_EQ(choice.reason, row.reason) << row.text;
  }
  EXPECT_EQ(choose_dialect("#!KAMAILIO", Dialect::ser).dialect, Dialect::ser);
  EXPECT_EQ(choose_dialect("#!KAMAILIO", Dialect::ser).reason, "--dialect says so");
  EXPECT_EQ(dialect_from_name("Ser"), Dialect::ser);
  EXPECT_EQ(dialect_from_name("OpenSIPS"), Dialect::kamailio);
  EXPECT_EQ(dialect_from_name("x"), std::nullopt);
}

}  // namespace
}  // namespace ser::script
