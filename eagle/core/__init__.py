"""What every room needs: errors, files written whole, paths, seeds, costs, progress."""
