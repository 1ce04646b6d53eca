"""Envoy as Crossgate runs it: binary, bootstrap, runtime directory, and the supervisor that keeps it up.

Knows how to start, watch and stop one Envoy on this machine. Knows nothing of policies or of what the
control plane sends: listeners and routes come to Envoy by xDS.
"""
