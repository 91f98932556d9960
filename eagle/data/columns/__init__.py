"""What the cells of a column mean: ids, ratings and their scale, times, categories, titles, prose."""
