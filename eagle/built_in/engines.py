"""The built-in engines: each opens as a function of the section ``llm`` and the folder models/llm
(:mod:`eagle.engine.engines`).
"""

from __future__ import annotations

from eagle.core.parts import BuiltIn

ENGINES = {
    "torch": BuiltIn("eagle.engine.engines:open_torch"),
    "openai": BuiltIn("eagle.engine.engines:open_endpoint"),
    "scripted": BuiltIn("eagle.engine.engines:open_scripted"),
}
