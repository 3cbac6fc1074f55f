# SPDX-License-Identifier: BSD-3-Clause
"""Tests of what counts as a code line."""

import unittest

from machine.code_lines import code_lines


class CodeLines(unittest.TestCase):
    def test_blank_lines_and_comments_do_not_count(self) -> None:
        self.assertEqual(code_lines("// a\n\nint x; // b\n   \n/* c\n d */\n"), 1)

    def test_code_before_or_behind_a_comment_counts(self) -> None:
        self.assertEqual(code_lines("int x; /* a\n b */ int y;\n/* c */ int z;\n"), 3)

    def test_comment_marks_in_strings_are_code(self) -> None:
        self.assertEqual(code_lines('auto s = "// no /*";\nint x;\n'), 2)

    def test_raw_strings_are_code(self) -> None:
        self.assertEqual(code_lines('auto s = R"(\n// code\n)";\n'), 3)
