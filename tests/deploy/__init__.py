"""What deploy/ has, as the tools that it is for judge it."""
