"""A stand-in TMDb: a real HTTP server with a known catalogue, known limits and faults on request."""
