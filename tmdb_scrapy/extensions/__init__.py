"""What runs beside the spider: pacing, heartbeat, settlement."""
