"""The page that shows a crawl while it runs, and what programs read of it."""
