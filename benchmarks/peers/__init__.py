"""The same work as Python users write it by hand; each is a program of its own."""
