"""The environment adapted to a catalogue: mined edits, own answers, training, and whether it is kept."""
