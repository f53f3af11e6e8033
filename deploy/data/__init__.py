"""What workers have written, on its way home or to a share."""
