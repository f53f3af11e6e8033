"""The crawl beside its peers, and every other figure that this project promises, in one run."""
