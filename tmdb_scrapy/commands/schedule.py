"""``scrapy schedule [KIND…]``: have this machine update daily."""

from __future__ import annotations

import argparse
from pathlib import Path

from scrapy.commands import ScrapyCommand

from tmdb_scrapy import privacy
from tmdb_scrapy.commands.base import CommandFailed, TmdbCommand, add_kinds
from tmdb_scrapy.kinds import FIRST, KINDS
from tmdb_scrapy.local import schedule
from tmdb_scrapy.local.schedule import NAME, Job, ScheduleError


class Command(TmdbCommand, ScrapyCommand):
    """Prints what it would install, unless it is told to. A timer of systemd's for this user; where there is
    none, a line of cron's."""

    def short_desc(self) -> str:
        return "Show, install or remove a daily update of this machine"

    def syntax(self) -> str:
        return "[options] [KIND…]"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_kinds(parser, "*", f"what to update: {', '.join(KINDS)} (default: {FIRST})")
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--install", action="store_true", help="install it")
        chosen.add_argument("--remove", action="store_true", help="take it back")

    def execute(self, opts: argparse.Namespace) -> None:
        kinds = [kind.name for kind in dict.fromkeys(opts.kinds)] or [FIRST]
        job = Job(kinds, Path.cwd(), (self.config.data_dir / "logs/update.log").resolve())
        try:
            if schedule.has_systemd():
                self._by_systemd(job, opts)
            else:
                self._by_cron(job, opts)
        except ScheduleError as error:
            raise CommandFailed(str(error)) from None

    def _by_systemd(self, job: Job, opts: argparse.Namespace) -> None:
        units = schedule.unit_directory()
        if opts.install:
            print("\n".join(schedule.install_timer(job, units)))
        elif opts.remove:
            removed = schedule.remove_timer(units)
            print(f"removed the timer {NAME}" if removed else f"there is no timer {NAME}")
        else:
            print(f"# {units / f'{NAME}.service'}\n{job.service}\n# {units / f'{NAME}.timer'}\n{job.timer}")
            print("# to install it: make schedule INSTALL=1")

    def _by_cron(self, job: Job, opts: argparse.Namespace) -> None:
        if opts.install:
            privacy.directory(job.log.parent)
            schedule.install_cron(job)
            print(f"installed in your crontab; what it says goes to {job.log}")
        elif opts.remove:
            removed = schedule.remove_cron(job)
            print("removed from your crontab" if removed else "your crontab has no such line")
        else:
            print(f"{job.cron_line}\n# to put it into your crontab: make schedule INSTALL=1")
