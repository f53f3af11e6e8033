"""What runs beside the spider: heartbeat, settlement."""
