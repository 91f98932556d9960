"""EAGLE: steer a frozen language model into the content gaps of a catalogue."""
