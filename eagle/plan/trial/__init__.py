"""``eagle check --trial``: a few changes written and judged before hours are spent."""
