"""One table of cases, each put through the raw port and through the gateway, which must agree."""
