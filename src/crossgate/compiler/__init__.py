"""The compiler: from a catalogue to Envoy resources. It is pure: the same catalogue gives the same bytes."""
