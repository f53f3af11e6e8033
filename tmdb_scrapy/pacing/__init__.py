"""When a request may go: the pace, the governor that lets requests out by it, and the breaker for outages."""
