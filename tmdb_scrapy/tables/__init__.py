"""Merged files as tables with keys: Parquet, DuckDB and more, from the records that are there."""
