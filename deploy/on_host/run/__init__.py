"""The hosts' side of `deploy.run`."""
