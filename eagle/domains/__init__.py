"""What a catalogue is about: the fields of a text, words for prompts, categories and seed actions."""
