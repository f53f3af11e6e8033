"""Where IDs come from: TMDb's daily ID export, and what of it was seeded."""
