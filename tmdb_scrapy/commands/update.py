"""``scrapy update KIND…``: bring what is here up to date."""

from __future__ import annotations

import argparse
import time
from importlib import import_module

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, FAILED, INTERRUPTED, CommandFailed, KindsCommand, complain
from tmdb_scrapy.commands.crawl import HOW_TO_GET_A_KEY
from tmdb_scrapy.commands.crawl_here import crawl_here
from tmdb_scrapy.commands.redis import start_here
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.local.update_lock import UpdateIsRunning, update_lock
from tmdb_scrapy.local.workers import run_scrapy
from tmdb_scrapy.queue import IdQueue
from tmdb_scrapy.queue.freshness import note_update
from tmdb_scrapy.queue.recorded_settings import present
from tmdb_scrapy.records.changes import changes_of, counts_in
from tmdb_scrapy.records.part import merged_file
from tmdb_scrapy.watch.figures import duration
from tmdb_scrapy.watch.notice import Notice, NotTaken, send


class Command(KindsCommand, ScrapyCommand):
    """Refresh, crawl, merge, audit; then the tables and the upload, where there are some. Interrupted or
    killed at any moment, the same command goes on. Exits with the first code of a step that was not 0."""

    def short_desc(self) -> str:
        return "Bring the merged file up to date: refresh, crawl, merge, audit, tables, upload, report"

    def execute(self, opts: argparse.Namespace) -> None:
        if not self.config.tmdb_api_key:
            raise CommandFailed(HOW_TO_GET_A_KEY, BAD_USE)
        try:
            with update_lock(self.config.data_dir):
                if code := start_here(self.config):
                    raise CommandFailed("no Redis could be started", code)
                failures = [failure for kind in dict.fromkeys(opts.kinds) if (failure := self._update(kind))]
                failures += self._publish(list(dict.fromkeys(opts.kinds))) if not failures else []
        except UpdateIsRunning as error:
            raise CommandFailed(str(error)) from None
        if failures:
            raise failures[0]

    def _update(self, kind: Kind) -> CommandFailed | None:
        """Update one kind and say so; returns what went wrong."""
        started = time.time()
        try:
            notice = self._steps(kind, started)
        except (CommandFailed, OSError) as error:
            code = error.code if isinstance(error, CommandFailed) else FAILED
            if code == INTERRUPTED:
                raise
            text = f"the update of {kind.name} failed: {error}"
            self._notify(Notice(text, kind.name, "failed"))
            return CommandFailed(text, code)
        print(notice.text, flush=True)
        self._notify(notice)
        return None

    def _steps(self, kind: Kind, started: float) -> Notice:
        """Raises `CommandFailed`."""
        self.ask(kind, lambda queue: queue.settle_under(present(self.config, kind)))
        refused = self._refreshed(kind)
        asked = self.ask(kind, IdQueue.queued)
        if asked:
            crawl_here(self, kind)
        self._run("merge", kind, "--prune")
        self._audit(kind, refused)
        self.ask(kind, lambda queue: note_update(queue, time.time()))
        merged = merged_file(self.config.data_dir, kind)
        counts = {"asked": asked, **counts_in(changes_of(merged), started)}
        told = " · ".join(f"{what} {count:,}" for what, count in counts.items())
        took = duration(time.time() - started)
        return Notice(
            f"{kind.name} are up to date: {told}, in {took}: {merged}", kind.name, "updated", counts
        )

    def _audit(self, kind: Kind, refused: CommandFailed | None) -> None:
        """Raises `CommandFailed`, for what the refresh refused too."""
        try:
            self._run("audit", kind)
        except CommandFailed as error:
            raise CommandFailed(f"{refused}; {error}" if refused else str(error), error.code) from None
        if refused:
            raise refused

    def _refreshed(self, kind: Kind) -> CommandFailed | None:
        """Queue what changed. What was told of a shrunken export is told again at the end."""
        try:
            self._run("refresh", kind)
        except CommandFailed as error:
            if not error.is_partial:
                raise
            return error
        return None

    def _publish(self, kinds: list[Kind]) -> list[CommandFailed]:
        """What is made of the merged files, where it was made before or is asked for."""
        failures = []
        if (self.config.data_dir / "tables").exists() and (code := run_scrapy("tables")):
            failures.append(CommandFailed("the tables were not made", code))
        for kind in kinds if self.config.nextcloud_upload and not failures else ():
            try:
                self._run("upload", kind, "--replace")
            except CommandFailed as error:
                failures.append(error)
        # Last, so that its path is the last line.
        if code := run_scrapy("report"):
            failures.append(CommandFailed("the report was not written", code))
        for failure in failures:
            names = " ".join(kind.name for kind in kinds)
            self._notify(Notice(f"{names} are up to date, but: {failure}", names, "failed"))
        return failures

    def _run(self, name: str, kind: Kind, *arguments: str) -> None:
        """Another command, in this process: its failure is ours, in its words. Raises `CommandFailed`."""
        command: KindsCommand = import_module(f"tmdb_scrapy.commands.{name}").Command()
        command.settings, command.config = self.settings, self.config
        parser = argparse.ArgumentParser(conflict_handler="resolve")
        command.add_options(parser)
        command.execute(parser.parse_args([kind.name, *arguments]))

    def _notify(self, notice: Notice) -> None:
        if not self.config.notify_url:
            return
        from tmdb_scrapy.network import Proxies

        try:
            send(notice, self.config.notify_url, Proxies.of(self.config))
        except NotTaken as error:
            complain(str(error))
