"""The hosts' side of `deploy.install`."""
