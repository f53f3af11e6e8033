"""What runs on a fleet host: standard library only, Python 3.8 or later, nothing installed beforehand.

`deploy.ssh.remote_calls` sends these modules through SSH's standard input and runs one function of them
under the host's `python3`, so no value of ours ever passes through a shell or a command line.
"""
