"""What a catalogue is about: the fields of a text."""
