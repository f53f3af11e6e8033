"""Items through the pipelines, without a coroutine for each synchronous step."""

from __future__ import annotations

import inspect
from typing import Any

from scrapy.pipelines import ItemPipelineManager
from scrapy.utils.defer import ensure_awaitable


class DirectItems(ItemPipelineManager):
    """As Scrapy's: every pipeline in its order, waiting for those that are asynchronous."""

    async def process_item_async(self, item: Any) -> Any:
        """The item after the last pipeline. Raises `DropItem` when one of them drops it."""
        for method in self.methods["process_item"]:
            assert method is not None
            needs_spider = method in self._mw_methods_requiring_spider
            item = method(item, self._spider) if needs_spider else method(item)
            if inspect.isawaitable(item):
                item = await ensure_awaitable(item)
        return item
