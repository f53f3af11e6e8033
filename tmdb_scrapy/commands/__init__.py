"""The commands, one a file: ``scrapy seed``, ``scrapy crawl``, ….

Those not about settings of Scrapy's own print to stdout what was asked for and complaints to stderr.
"""
