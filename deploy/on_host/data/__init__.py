"""The hosts' side of `deploy.data`."""
