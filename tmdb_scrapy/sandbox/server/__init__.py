"""The HTTP server that behaves like TMDb: API, exports, limits, faults and a journal."""
