"""The fleet: any number of GNU/Linux machines reachable by SSH, driven by `make` through Fabric.

`fabfile` holds the tasks, `on_host` what runs on the machines; see README.md in this folder.
"""
