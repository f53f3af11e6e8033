"""Whether requests reach the API: the evidence for a missing ID, and giving up before what is in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from scripted_server import sized
from stage import MakeCrawler, Stage, error, run, staged

from tmdb_scrapy.downloader.connections import HttpResponse
from tmdb_scrapy.downloader.obstacle import FROM_THE_START_S, LATER_S, GivenUp
from tmdb_scrapy.downloader.reach import MISSING_AHEAD, Reach
from tmdb_scrapy.downloader.responses import verdict_of
from tmdb_scrapy.downloader.verdict import Verdict
from tmdb_scrapy.pacing.pacing import Stopping

GONE = error(34, "The resource you requested could not be found.", 404)
THERE = sized(b'{"success": true, "status_code": 1, "status_message": "Success."}')
PAGE = sized(b"<html>Blocked.</html>", status=403)


class Site:
    """A script that responds by path: records, deleted IDs, and what is known to be good."""

    def __init__(self, known_good: bytes = THERE, is_deleted: Callable[[int], bool] = lambda _: True) -> None:
        self.known_good = known_good
        self.is_deleted = is_deleted
        self.page_for: set[int] = set()
        self.proofs = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(self._response(line.split()[1].decode().partition("?")[0]))

    def _response(self, path: str) -> bytes:
        if path.endswith("/authentication"):
            self.proofs += 1
            return self.known_good
        tmdb_id = int(path.rpartition("/")[2])
        if tmdb_id in self.page_for:
            return PAGE
        return GONE if self.is_deleted(tmdb_id) else sized(b'{"id": %d}' % tmdb_id)


async def verdicts(stage: Stage, ids: range) -> list[Verdict]:
    return [verdict_of(await stage.download(stage.request(tmdb_id))) for tmdb_id in ids]


class TestEvidenceForAMissingId:
    def test_nothing_is_missing_before_something_is_there(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            site = Site()
            async with staged(site, make_crawler) as stage:
                found = await asyncio.gather(*(verdicts(stage, range(n, n + 1)) for n in range(10)))
                assert found == [[Verdict.MISSING]] * 10
                assert site.proofs == 1  # for all ten

        run(scenario())

    def test_a_url_that_is_not_the_apis_ends_the_crawl_with_its_name(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            async with staged(Site(known_good=GONE), make_crawler) as stage:
                downloads = [stage.download(stage.request(tmdb_id)) for tmdb_id in range(10)]
                ended = await asyncio.gather(*downloads, return_exceptions=True)
                assert {type(each) for each in ended} == {GivenUp}
                assert "TMDB_API_URL" in str(ended[0])

        run(scenario())

    def test_a_key_that_is_refused_is_said(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            refused = error(7, "Invalid API key.", 401)
            async with staged(Site(known_good=refused), make_crawler) as stage:
                with pytest.raises(GivenUp, match="TMDb refused TMDB_API_KEY"):
                    await stage.download()

        run(scenario())

    def test_three_in_ten_deleted_cost_one_request(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            deleted = {*range(15), *(tmdb_id for tmdb_id in range(200) if tmdb_id % 10 < 3)}
            site = Site(is_deleted=deleted.__contains__)
            async with staged(site, make_crawler, RATE_LIMIT="100000") as stage:
                found = await verdicts(stage, range(200))
                assert found.count(Verdict.MISSING) == len(deleted)
                assert site.proofs == 1

        run(scenario())

    def test_when_missing_becomes_the_rule_the_evidence_is_renewed(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            site = Site()
            async with staged(site, make_crawler, RATE_LIMIT="100000") as stage:
                await verdicts(stage, range(MISSING_AHEAD * 3))
                assert site.proofs == 3  # at the first, and after every twentieth

        run(scenario())

    def test_an_api_that_turns_all_away_in_mid_crawl_is_waited_for(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            site = Site(is_deleted=lambda tmdb_id: tmdb_id > 0)
            async with staged(site, make_crawler, RATE_LIMIT="100000") as stage:
                await verdicts(stage, range(1))
                await verdicts(stage, range(1, MISSING_AHEAD + 2))
                site.known_good = GONE
                one_too_many = asyncio.ensure_future(stage.download())
                await asyncio.sleep(0.2)
                assert not one_too_many.done()
                assert "TMDB_API_URL" in stage.pacing.last_failure
                site.known_good = THERE
                assert verdict_of(await one_too_many) is Verdict.MISSING

        run(scenario())

    def test_who_waits_for_it_is_let_go_when_the_worker_stops(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            async with staged(Site(known_good=sized(b"", status=503)), make_crawler) as stage:
                download = asyncio.ensure_future(stage.download())
                await asyncio.sleep(0.2)
                assert not download.done()
                stage.pacing.close()
                with pytest.raises(Stopping):
                    await download

        run(scenario())


class TestGivingUp:
    def test_a_page_instead_of_the_api_ends_the_crawl_when_it_lasts(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            now_s = 0.0
            async with staged(Site(known_good=PAGE), make_crawler) as stage:
                reach = Reach(stage.wire, stage.pacing, lambda: now_s)
                assert not await reach.probe()
                await reach.turn()
                now_s = FROM_THE_START_S
                assert not await reach.probe()
                with pytest.raises(GivenUp, match="a page instead of TMDb's data"):
                    await reach.turn()

        run(scenario())

    def test_one_that_comes_later_may_last_longer(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            now_s, site = 0.0, Site()
            async with staged(site, make_crawler) as stage:
                reach = Reach(stage.wire, stage.pacing, lambda: now_s)
                assert await reach.probe()
                site.known_good = PAGE
                assert not await reach.probe()
                assert "a page" in stage.pacing.last_failure
                now_s = LATER_S - 1
                assert not await reach.probe()
                await reach.turn()
                now_s = LATER_S
                assert not await reach.probe()
                with pytest.raises(GivenUp):
                    await reach.turn()

        run(scenario())

    def test_who_spares_what_is_known_to_be_good_blocks_all_the_same(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            site = Site(is_deleted=lambda _: False)
            async with staged(site, make_crawler) as stage:
                reach, received = Reach(stage.wire, stage.pacing), HttpResponse(200, {}, b"<html>")
                url = stage.request(7).url
                site.page_for = {7}
                assert reach.failed_by_response(url, received)
                assert not await reach.probe()
                site.page_for = set()
                assert await reach.probe()

        run(scenario())

    def test_a_page_that_is_one_ids_own_is_told_by_a_record(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            site = Site(is_deleted=lambda _: False)
            async with staged(site, make_crawler) as stage:
                reach, received = Reach(stage.wire, stage.pacing), HttpResponse(200, {}, b"<html>")
                reach.passed(stage.request(1).url, Verdict.RECORD)
                site.page_for = {7}
                assert reach.failed_by_response(stage.request(7).url, received)
                assert await reach.probe()

        run(scenario())

    def test_an_outage_never_ends_it(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            now_s = 0.0
            async with staged(Site(known_good=sized(b"", status=503)), make_crawler) as stage:
                reach = Reach(stage.wire, stage.pacing, lambda: now_s)
                for _ in range(3):
                    assert not await reach.probe()
                    now_s += 10 * LATER_S
                await reach.turn()

        run(scenario())
