"""Typed clients in front of the gateway: the whole contract of protos/, as a program in another language sees it."""
