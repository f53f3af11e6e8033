"""`make init`: what a host needs before it can work; and `make clean`."""
