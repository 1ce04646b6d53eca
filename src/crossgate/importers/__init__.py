"""Documents that describe or configure APIs elsewhere, read into objects of a catalogue."""
