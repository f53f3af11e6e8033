"""Tests in a browser need packages that nobody else does: left out without them, where that may be."""

from __future__ import annotations

import os
from importlib.util import find_spec

from needs import REQUIRE_ALL

missing = find_spec("playwright") is None and os.environ.get(REQUIRE_ALL) != "1"
collect_ignore = ["test_browser.py", "test_live.py"] if missing else []
