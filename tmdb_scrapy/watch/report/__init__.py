"""One page about a crawl and what it collected, to be kept, sent and printed."""
