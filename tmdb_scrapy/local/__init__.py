"""This machine: its Redis and its workers."""
