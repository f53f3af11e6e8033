"""deploy.ssh.hosts: what a line of ips.txt may be, and how bad ones are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.ssh.hosts import Host, HostsError, parse_host, read_hosts, select


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("desktop-1", Host("desktop-1")),
        ("Desktop-1.Example.org.", Host("Desktop-1.Example.org")),
        ("10.0.0.7", Host("10.0.0.7")),
        ("10.0.0.7:2222", Host("10.0.0.7", port=2222)),
        ("me@desktop-1", Host("desktop-1", user="me")),
        ("me@desktop-1:22", Host("desktop-1", user="me", port=22)),
        ("2001:db8::1", Host("2001:db8::1")),
        ("2001:DB8:0::1", Host("2001:db8::1")),
        ("[2001:db8::1]", Host("2001:db8::1")),
        ("me@[2001:db8::1]:2222", Host("2001:db8::1", user="me", port=2222)),
        ("me@2001:db8::1", Host("2001:db8::1", user="me")),
        ("my_alias", Host("my_alias")),
        ("MyAlias", Host("MyAlias")),
        ("me@[FE80::1%eth0.1]:22", Host("fe80::1%eth0.1", user="me", port=22)),
    ],
)
def test_a_host_line_is_read(line: str, host: Host) -> None:
    assert parse_host(line) == host


@pytest.mark.parametrize(
    "line",
    [
        "a; rm -rf /",
        "$(reboot)",
        "`reboot`",
        "a b",
        "a|b",
        "-oProxyCommand=reboot",
        "a\x00b",
        "@a",
        "me@",
        "me you@a",
        "-l@a",
        "a:",
        "a:0",
        "a:65536",
        "a:ssh",
        "a:22:22",
        "300.1.1.1",
        "1.2.3",
        "[2001:db8::1",
        "[nonsense]x",
        "a..b",
        "a/b",
        "x" * 64,
        "bücher",
        "a,b",
        "fe80::1%$(reboot)",
        "fe80::1%",
        "[fe80::1%a;b]:22",
        "fe80::1%a b",
    ],
)
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        parse_host(line)


def test_comments_blank_lines_and_windows_line_ends_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ips.txt"
    path.write_bytes(b"\xef\xbb\xbf# the lab\r\n\r\na  # by the door\r\n  b\t\r\n#c\r\n")
    assert read_hosts(path) == [Host("a"), Host("b")]


def test_every_bad_line_is_reported_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "ips.txt"
    path.write_text("a\na; rm -rf /\nb:x\n\nc\nA:22\n")
    with pytest.raises(HostsError) as refused:
        read_hosts(path)
    numbers = [problem.removeprefix(f"{path}:").partition(":")[0] for problem in refused.value.problems]
    assert numbers == ["2", "3", "6"]
    assert "the same machine as line 1" in refused.value.problems[2]


@pytest.mark.parametrize("content", ["", "# nobody\n\n", None])
def test_a_list_without_hosts_is_an_error(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ips.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(HostsError):
        read_hosts(path)


def test_hosts_are_chosen_by_name_or_as_written() -> None:
    hosts = [Host("A"), Host("b", port=2222), Host("c", user="me")]
    assert select(hosts, "") == hosts
    assert select(hosts, "c, a") == [hosts[0], hosts[2]]
    assert select(hosts, "b:2222") == select(hosts, "B") == [hosts[1]]
    with pytest.raises(HostsError, match="'d' is not in the list"):
        select(hosts, "a,d")
