"""What clients that own nothing but a socket rely on: `socket`, `struct` and `json` are all they use."""
