"""The spiders: one a kind of record."""
