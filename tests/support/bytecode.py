"""Bytecode of the tests is written, also where a machine is told to write none; to be imported first.

Else each child of a test compiles 400 files of ours anew, 0.95 s to start instead of 0.6, and each
worker all tests and hypothesis, whose asserts pytest rewrites: 10 s of processor instead of 5.
"""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
