"""What people see: the picture of a crawl, progress bars, log lines."""
