"""Records: what a body says, the parts that hold them, one merged file, and whether all agree."""
