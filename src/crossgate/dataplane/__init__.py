"""Envoy as Crossgate runs it: binary, bootstrap, runtime directory, and the supervisor that restarts it.

Starts, watches and stops one Envoy of this machine, and checks the machine. It knows nothing of policies:
listeners and routes come to Envoy over xDS.
"""
