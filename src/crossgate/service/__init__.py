"""The use cases of a catalogue and of tokens. The packages above implement its ports: stores and nodes."""
