"""Documents of other products that describe or configure APIs, read into objects of a catalogue."""
