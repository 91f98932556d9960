"""Files of any writing as tables of cells: bytes, encodings, separators, rows, and what does not fit."""
