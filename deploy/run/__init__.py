"""Workers while they run: launch, stop, kill, logs, console."""
