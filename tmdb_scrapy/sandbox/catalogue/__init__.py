"""What the sandbox holds: made from a seed or read from files. Knows nothing of HTTP."""
