from __future__ import annotations

import pytest

from tmdb_scrapy.nextcloud.responses import DavResponse, RemoteFile, read_properties

NEXTCLOUD_FILE = """<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns" xmlns:oc="http://owncloud.org/ns"
    xmlns:nc="http://nextcloud.org/ns"><d:response><d:href>/public.php/dav/files/TOKEN/movies.jsonl</d:href>
<d:propstat><d:prop><d:resourcetype/><d:getcontentlength>4242</d:getcontentlength>
<d:getetag>&quot;6436d084d4805&quot;</d:getetag>
<oc:checksums><oc:checksum>SHA1:62bd SHA256:ABCDEF ADLER32:2f16</oc:checksum></oc:checksums>
<oc:permissions>RGDNVW</oc:permissions></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
<d:propstat><d:prop><oc:nothing/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>
</d:response></d:multistatus>"""

NEXTCLOUD_FOLDER = """<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:response><d:href>/x/</d:href>
<d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop>
<d:status>HTTP/1.1 200 OK</d:status></d:propstat>
<d:propstat><d:prop><d:getcontentlength/><oc:checksums/></d:prop>
<d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response></d:multistatus>"""


def test_a_file_is_described_by_what_nextcloud_tells() -> None:
    assert read_properties(DavResponse(207, {}, NEXTCLOUD_FILE)) == RemoteFile(
        size=4242, etag='"6436d084d4805"', sha256="abcdef", permissions="RGDNVW"
    )


def test_properties_that_the_server_does_not_have_are_unknown() -> None:
    assert read_properties(DavResponse(207, {}, NEXTCLOUD_FOLDER)) == RemoteFile(is_folder=True)


@pytest.mark.parametrize(
    "response",
    [
        DavResponse(200, {}, NEXTCLOUD_FILE),
        DavResponse(207, {}, "<html>"),
        DavResponse(207, {}, ""),
        DavResponse(404, {}, ""),
        DavResponse(207, {}, NEXTCLOUD_FILE.replace("?>", '?><!DOCTYPE d [<!ENTITY a "aaaa">]>')),
    ],
)
def test_other_responses_describe_nothing(response: DavResponse) -> None:
    assert read_properties(response) is None


@pytest.mark.parametrize("status", [100, 202, 203, 206, 207, 301, 302, 400, 401, 500])
def test_a_write_succeeded_only_if_the_server_says_so(status: int) -> None:
    assert not DavResponse(status, {}, "").succeeded


@pytest.mark.parametrize(
    ("response", "has_password", "expected"),
    [
        (DavResponse(401, {}, ""), False, "set NEXTCLOUD_PASSWORD"),
        (DavResponse(401, {}, ""), True, "Check NEXTCLOUD_UPLOAD and NEXTCLOUD_PASSWORD"),
        (DavResponse(403, {}, ""), False, "allow uploading"),
        (DavResponse(302, {}, ""), False, "redirects"),
        (DavResponse(423, {}, ""), False, "locked"),
        (DavResponse(429, {}, ""), False, "throttles"),
        (DavResponse(507, {}, ""), False, "quota"),
        (DavResponse(418, {}, ""), False, "HTTP 418: the server refused"),
        (DavResponse(502, {}, "<html>nginx</html>"), False, "HTTP 502: the server failed"),
        (DavResponse(503, {"X-Nextcloud-Maintenance-Mode": "1"}, ""), False, "maintenance"),
        (
            DavResponse(400, {}, '<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">'
                        "<s:message>So  it\nis</s:message></d:error>"),
            False,
            "the server says: So it is",
        ),
    ],
)  # fmt: skip
def test_refusals_are_explained(response: DavResponse, has_password: bool, expected: str) -> None:
    assert expected in response.explain(has_password)
