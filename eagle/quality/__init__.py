"""Whether a text is whole: gates on the text alone, calibrated on real texts, and judges that no search may see."""
