"""The wire: the download handler and what stands under it."""
