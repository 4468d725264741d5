# SPDX-License-Identifier: Apache-2.0
"""Each home lint is shown to fail on a bad sample and to let a good one pass."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import check_docs  # noqa: E402
import check_globals  # noqa: E402
import check_layers  # noqa: E402
import check_sizes  # noqa: E402
import check_words  # noqa: E402
import lintlib  # noqa: E402

ROWS = "base:\nsip: base\nnet: base\nmodules/*: sip base\napp: net sip base modules/*\n"


class Tree(unittest.TestCase):
    """A small project in a temporary folder."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target


class Layers(Tree):
    def errors(self, files, rows=ROWS):
        self.write("cmake/layers.txt", rows)
        for path, text in files.items():
            self.write(path, text)
        return check_layers.check(self.root)

    def test_downward_includes_pass(self):
        self.assertEqual([], self.errors({
            "src/base/a.h": "#include <vector>\n", "src/sip/b.h": '#include "base/a.h"\n',
            "modules/sl/sl.cpp": '#include "sip/b.h"\n#include "modules/sl/sl.h"\n', "modules/sl/sl.h": "",
            "app/main.cpp": '#include "modules/sl/sl.h"\n'}))

    def test_upward_include_fails_with_its_line(self):
        found = self.errors({"src/base/a.h": '\n#include "sip/b.h"\n', "src/sip/b.h": ""})
        self.assertEqual(1, len(found))
        self.assertTrue(found[0].startswith("src/base/a.h:2: base must not include sip/b.h"), found)

    def test_sideways_include_fails(self):
        self.assertIn("must not include", self.errors({"src/net/a.h": '#include "sip/b.h"\n'})[0])

    def test_module_including_module_fails(self):
        found = self.errors({"modules/sl/sl.cpp": '#include "modules/rr/rr.h"\n', "modules/rr/rr.h": ""})
        self.assertIn("never include each other", found[0])

    def test_unknown_layer_and_bare_name_fail(self):
        found = self.errors({"src/sip/a.h": '#include "loc/x.h"\n#include "b.h"\n'})
        self.assertIn("no layer 'loc'", found[0])
        self.assertIn('include as "library/file.h"', found[1])

    def test_cycle_of_files_fails(self):
        found = self.errors({"src/sip/a.h": '#include "sip/b.h"\n', "src/sip/b.h": '#include "sip/a.h"\n'})
        self.assertEqual(1, len(found))
        self.assertIn("include cycle: src/sip/a.h -> src/sip/b.h -> src/sip/a.h", found[0])

    def test_cycle_of_rows_fails(self):
        self.assertTrue(any("reaches itself" in e for e in self.errors({}, "a: b\nb: a\n")))


class Sizes(Tree):
    def test_long_file_and_long_function_fail(self):
        self.write("src/sip/long.h", "int x;\n" * 601)
        self.write("src/sip/f.cpp", "namespace a {\nint Foo::bar(int x) const noexcept {\n" + "  ++x;\n" * 101 + "}\n}\n")
        errors, _ = check_sizes.check(self.root)
        self.assertEqual(2, len(errors), errors)
        self.assertIn("f.cpp:2: Foo::bar has 103 lines", errors[0])
        self.assertIn("601 lines", errors[1])

    def test_warnings_between_aim_and_limit(self):
        self.write("src/sip/g.h", "int x;\n" * 501)
        self.write("src/sip/f.cpp", "void f() {\n" + "  g();\n" * 70 + "}\n")
        errors, warnings = check_sizes.check(self.root)
        self.assertEqual([], errors)
        self.assertEqual(2, len(warnings))

    def test_types_tables_and_braces_in_text_are_no_functions(self):
        self.write("src/sip/t.h", "struct T final : B<int> {\n" + "  int x;\n" * 200 + "};\nconstexpr int kT[] = {\n" + "1,\n" * 150 +
                   "};\n/* f() { */ // g() {\n")
        self.assertEqual([], check_sizes.check(self.root)[0])

    def test_member_functions_are_seen_inside_types(self):
        self.write("src/sip/t.h", "class T {\n public:\n  T() : x_a{1} {\n" + "  f();\n" * 120 + "  }\n};\n")
        self.assertEqual(1, len(check_sizes.check(self.root)[0]))

    def test_allow_list_covers_and_shrinks(self):
        self.write("src/sip/f.cpp", "void f() {\n" + "  g();\n" * 120 + "}\n")
        self.write("tools/allow/long_functions.txt", "src/sip/f.cpp:f  # a table\n")
        self.assertEqual([], check_sizes.check(self.root)[0])
        self.write("src/sip/f.cpp", "void f() {}\n")
        self.assertIn("not needed any more", check_sizes.check(self.root)[0][0])

    def test_allow_list_needs_a_reason(self):
        with self.assertRaises(SystemExit):
            lintlib.read_allow_list(self.write("a.txt", "src/x.cpp:f\n"))


class Globals(Tree):
    def library(self, source):
        self.write("x.cpp", source)
        subprocess.run(["g++", "-std=c++20", "-fPIC", "-c", "x.cpp", "-o", "x.o"], cwd=self.root, check=True)
        subprocess.run(["ar", "rcs", "libx.a", "x.o"], cwd=self.root, check=True)
        return self.root / "libx.a"

    def test_every_kind_of_mutable_global_is_found(self):
        found = check_globals.check([self.library(
            "int plain = 1;\nint zero;\nthread_local int local = 2;\nnamespace { int hidden = 3; }\n"
            "struct S { S(); int v; };\nint& f() { static S s; return hidden += s.v, hidden; }\n"
            "const char* pointer = \"x\";\n")], {})
        text = "\n".join(found)
        for name in ("'plain'", "'zero'", "'local'", "hidden'", "f()::s'", "'pointer'"):
            self.assertIn(name, text)

    def test_constants_pass(self):
        self.assertEqual([], check_globals.check([self.library(
            "struct B { virtual ~B(); virtual int f(); };\nB::~B() {}\nint B::f() { try { return 1; } catch (...) { return 2; } }\n"
            "constexpr const char* kNames[] = {\"a\", \"b\"};\nconst char* name(int i) { return kNames[i]; }\n")], {}))

    def test_allow_list(self):
        library = self.library("int plain = 1;\n")
        self.assertEqual([], check_globals.check([library], {"libx.a:plain": "why"}))
        self.assertEqual(1, len(check_globals.check([library], {"libx.a:plain": "why", "libx.a:gone": "why"})))


class Words(unittest.TestCase):
    HEAD = "// SPDX-License-Identifier: Apache-2.0\n"

    def test_bad_words_fail(self):
        for bad in ("// TO" "DO later", "int st" "ub;", "// FIX" "ME", '"/wo' 'rk/main/x"', "GTEST_" "SKIP();", "EXPECT_TRUE(" "true)"):
            self.assertEqual(1, len(check_words.file_errors("src/sip/a.cpp", self.HEAD + bad + "\n")), bad)

    def test_good_text_passes(self):
        self.assertEqual([], check_words.file_errors("src/sip/a.cpp", self.HEAD + "// a stubborn hack of work/x, frameworks/main\n"))

    def test_licence_line_is_needed(self):
        self.assertEqual(1, len(check_words.file_errors("src/sip/a.cpp", "int x;\n")))


class Docs(Tree):
    def test_dead_link_fails(self):
        self.write("a.md", "[x](b.md) [y](https://example.org) [z](#here) [w](a.md#top)\n")
        self.assertEqual(["a.md:1: no such file: b.md"], check_docs.link_errors(self.root, Path("a.md")))

    def program(self, text, names=""):
        """Prints `names` for --doc=list and `text` for everything else."""
        program = self.write("ser", f"#!/bin/sh\nif [ \"$1\" = --doc=list ]; then echo '{names}'; exit; fi\ncat <<'END'\n{text}END\n")
        program.chmod(0o755)
        return str(program)

    def test_stale_reference_page_fails_and_update_mends_it(self):
        page = self.write("docs/reference/sl.md", "old\n")
        self.assertIn("sl.md is not what", check_docs.reference_errors(self.root, self.program("new\n"), False)[0])
        self.assertEqual([], check_docs.reference_errors(self.root, self.program("new\n"), True))
        self.assertEqual("new\n", page.read_text())

    def test_only_the_options_of_the_man_page_are_generated(self):
        page = self.write("docs/man/ser.8", ".SH NAME\nser\n.SH OPTIONS\nold\n.SH OPTIONS OF TEST\nold\n.SH FILES\nf\n")
        program = self.program("new\n")
        self.assertEqual(2, sum("ser.8 is not" in e for e in check_docs.reference_errors(self.root, program, False)))
        check_docs.reference_errors(self.root, program, True)
        self.assertEqual(".SH NAME\nser\n.SH OPTIONS\nnew\n.SH OPTIONS OF TEST\nnew\n.SH FILES\nf\n", page.read_text())
        self.assertEqual([], check_docs.reference_errors(self.root, program, False))

    def test_each_name_of_the_list_has_its_page(self):
        program = self.program("new\n", "sl   Replies.")
        self.assertIn("sl.md is not what", check_docs.reference_errors(self.root, program, False)[0])
        check_docs.reference_errors(self.root, program, True)
        self.assertEqual("new\n", (Path(self.root) / "docs/reference/sl.md").read_text())
        self.assertEqual("new\n", (Path(self.root) / "etc/completion/ser.bash").read_text())
        self.assertEqual([], check_docs.reference_errors(self.root, program, False))


if __name__ == "__main__":
    unittest.main()
