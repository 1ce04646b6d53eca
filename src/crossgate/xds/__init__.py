"""The control plane: configures Envoy nodes over delta xDS, and records what they applied and rejected.

`cache` holds the wanted resources. `stream` is one node's connection as a state machine. It has a
`subscription` for each resource type, which moves resources through `delivery_states`, and `ordering` keeps
make before break. `ledger` knows what every node runs, `rollout_wait` waits for it, and `server` is the gRPC
shell. Protobuf and gRPC are used in `wire` and `server` only.
"""
