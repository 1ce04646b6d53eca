"""The native services of the example: real HTTP servers, each logging every request that reaches it."""
