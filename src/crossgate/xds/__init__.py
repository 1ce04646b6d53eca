"""The control plane: what Envoy nodes are told over delta xDS, and what they answered.

`cache` holds the resources, `stream` is one node's connection as a pure state machine, `ledger` knows what
every node runs, and `server` is the gRPC shell around them. Protobuf and gRPC appear in `wire`,
`server` and `listening` only.
"""
