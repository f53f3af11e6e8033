"""Crawling on this machine with PROCESSES workers, which `job` and `update` do."""

from __future__ import annotations

import signal
import time

from tmdb_scrapy.commands.base import INTERRUPTED, CommandFailed, TmdbCommand
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.local.workers import Workers
from tmdb_scrapy.queue import IdQueue, Snapshot

LOOK_INTERVAL_S = 1.0
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def crawl_here(command: TmdbCommand, kind: Kind) -> Snapshot:
    """Crawl until the queue is empty; returns how it stands then. Raises `CommandFailed`, also when it was
    interrupted; the workers have ended then."""
    workers = Workers(kind.name, command.config.processes, command.config.data_dir / "logs")
    try:
        progress = _watch(command, kind, workers)
    except KeyboardInterrupt:
        raise CommandFailed("stopped; the same command continues", INTERRUPTED) from None
    finally:
        # Only the workers' own clean stop is waited for now: a second Ctrl-C must not orphan them.
        handlers = {number: signal.signal(number, signal.SIG_IGN) for number in STOPPING}
        workers.stop()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if progress.queued:
        raise CommandFailed("\n".join(workers.complaints()) or "the workers ended before the queue was empty")
    return progress


def _watch(command: TmdbCommand, kind: Kind, workers: Workers) -> Snapshot:
    """Show progress until all workers have ended; returns how it stands then."""
    # Scrapy imports every command to run one: what draws is imported where it does.
    from tmdb_scrapy.watch.crawl_bar import CrawlBar

    bar = CrawlBar()
    with bar.shown:
        while True:
            running = workers.running
            try:
                progress = command.ask(kind, IdQueue.snapshot)
            except CommandFailed:
                # The workers wait for a Redis that is away, and so does this.
                if not running:
                    raise
            else:
                bar.update(progress)
                if not running and not workers.replace_killed():
                    return progress
            workers.replace_killed()
            time.sleep(LOOK_INTERVAL_S)
