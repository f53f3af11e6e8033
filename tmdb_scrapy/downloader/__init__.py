"""The wire: the download handler, and what decides when a request may go."""
