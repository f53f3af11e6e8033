"""deploy.ssh.options and .ssh_config: a host is reached as `ssh` would reach it, compared with `ssh -G`."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import pytest
from needs import needs

from deploy.ssh import ssh_config as reading
from deploy.ssh.connections import Connections, StrictConnection
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host, parse_host
from deploy.ssh.options import options_of
from deploy.ssh.parallel import on_each

NOBODY_KNOWN = 54321
CONFIGURATIONS = {
    "plain": "Host web\n HostName web.example.org\n User me\n Port 2222\n",
    "spelling": "hOST = web\n\tHOSTNAME\t=  web.example.org\n  port=2200\n",
    "include a folder": "Include {folder}/config.d/*\nHost *\n User late\n",
    "include within a block": "Host web\n Include {folder}/config.d/20-web\nHost *\n Port 99\n",
    "match a network that is not ours": "Match localnetwork 203.0.113.0/24\n Port 99\nHost *\n Port 77\n",
    "match final all": "Match final all\n User last\nHost web\n HostName web.example.org\n",
    "match host=": 'Match host="web*",other\n Port 77\nMatch host=no\n Port 78\n',
    "match originalhost and user": "Match originalhost web user me\n Port 77\nMatch all\n Port 78\n",
    "match exec": 'Match exec "test %n = web"\n Port 77\nMatch exec false\n User nobody\n',
    "latin-1 comment": "# Universit\xe4t Z\xfcrich\nHost web\n Port 77 # t\xfcr\n",
    "a port that is none": "Host web\n Port abc\n",
    "an option that is none": "Host other\n Portt 77\n",
    "an option that is to be overlooked": "IgnoreUnknown Portt\nHost web\n Portt 77\n Port 78\n",
    "negated": "Host * !web\n User others\nHost w?b\n User these\n",
    "jumps": "Host web\n ProxyJump me@door:2222,ssh://inner:33,[2001:db8::1]:44\n",
    "no jump": "Host web\n ProxyJump none\nHost *\n ProxyJump door\n",
    "a jump host that is its own": "Host *\n ProxyJump web\n",
    "proxy command": "Host web\n ProxyCommand nc -X 5 %h %p 2>/dev/null\n",
    "proxy command none": "Host web\n ProxyCommand none\nHost *\n ProxyCommand nc %h %p\n",
    "host key alias": "Host web\n HostKeyAlias cloud\n Port 2222\n",
    "canonical names": (
        "CanonicalizeHostname yes\nCanonicalDomains localdomain example.invalid\nHost localhost.localdomain\n"
        " Port 77\n"
    ),
    "known hosts": 'Host web\n UserKnownHostsFile "{folder}/my hosts" /b\n GlobalKnownHostsFile none\n',
    "no known hosts": "Host web\n UserKnownHostsFile none\n",
    "timeout": "Host web\n ConnectTimeout 1m30s\n",
    "identities": "Host web\n IdentityFile {folder}/%u-%h-%%\n IdentityFile ~/x\n IdentitiesOnly yes\n",
    "no identities": "Host web\n IdentityFile none\n IdentityAgent none\n",
    "forwarded agent": "Host web\n ForwardAgent $SOME_SOCKET\n",
    "family": "Host web\n AddressFamily inet\n BindAddress 127.0.0.1\n",
}


@pytest.fixture
def folder(ssh_config: Path) -> Path:
    included = ssh_config.parent / "config.d"
    included.mkdir()
    (included / "10-all").write_text("Host *\n User included\n")
    (included / "20-web").write_text("Host web\n HostName web.example.org\n Port 2222\n")
    return ssh_config.parent


@pytest.mark.parametrize("host", [Host("web"), Host("localhost"), Host("web", "me", 2022)], ids=str)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_host_is_reached_as_ssh_reaches_it(
    name: str, host: Host, ssh_config: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/agent")
    ssh_config.write_bytes(CONFIGURATIONS[name].replace("{folder}", str(folder)).encode("latin-1"))
    said, complaint = as_ssh_says(host)
    if complaint:
        with pytest.raises(HostFailure) as failed:
            Connections(trust_new=False).to(host)
        assert complaint in failed.value.reason
        return
    connection = Connections(trust_new=False).to(host)
    options = connection.options
    home = pwd.getpwuid(os.getuid()).pw_dir
    tokens = {"~/": f"{home}/", "%u": pwd.getpwuid(os.getuid()).pw_name, "%h": connection.host}
    tokens |= {"%p": str(connection.port), "%%": "%"}
    assert [connection.host] == said["hostname"]
    assert [connection.user] == said["user"]
    assert [str(connection.port)] == said["port"]
    assert [options.host_key_alias] == said.get("hostkeyalias", [""])
    assert [options.address_family] == said["addressfamily"]
    assert [options.bind_address] == said.get("bindaddress", [""])
    assert [str(int(connection.connect_timeout))] == [
        text.replace("none", "10") for text in said["connecttimeout"]
    ]
    assert options.identities_only == (said["identitiesonly"] == ["yes"])
    agent = said.get("identityagent", ["/agent"])[0]
    assert options.identity_agent == ("" if agent == "none" else agent)
    assert [str(file) for file in options.identity_files] == with_tokens(said["identityfile"], tokens)
    assert " ".join(map(str, options.user_known_hosts_files)) == files(said["userknownhostsfile"])
    assert " ".join(map(str, options.global_known_hosts_files)) == files(said["globalknownhostsfile"])
    assert ",".join(jumps(connection)) == "".join(said.get("proxyjump", [])).replace("ssh://", "")
    command = [connection.gateway] if isinstance(connection.gateway, str) else []
    assert command == with_tokens(said.get("proxycommand", []), tokens)


def as_ssh_says(host: Host) -> tuple[dict[str, list[str]], str]:
    """Keyword → values; or what ssh complains of, be it about the first jump host."""
    typed = [*(["-l", host.user] if host.user else []), *(["-p", str(host.port)] if host.port else [])]
    asked = subprocess.run(["ssh", "-T", *typed, "-G", host.address], capture_output=True, timeout=60)
    if asked.returncode != 0:
        return {}, asked.stderr.decode().strip().splitlines()[-1]
    said: dict[str, list[str]] = {}
    for line in asked.stdout.decode("latin-1").splitlines():
        said.setdefault(line.partition(" ")[0], []).append(line.partition(" ")[2])
    if "proxyjump" in said:
        return said, as_ssh_says(parse_host(said["proxyjump"][0].partition(",")[0]))[1]
    return said, ""


def with_tokens(texts: list[str], tokens: dict[str, str]) -> list[str]:
    for token, meaning in tokens.items():
        texts = [text.replace(token, meaning) for text in texts if text != "none"]
    return texts


def files(listed: list[str]) -> str:
    return listed[0].replace("none", "")


def jumps(connection: StrictConnection) -> list[str]:
    """As ssh writes them, the users that the configuration adds left out."""
    hop, found = connection.gateway, []
    while isinstance(hop, StrictConnection):
        port = f":{hop.port}" if hop.port != 22 else ""
        user = f"{hop.user}@" if hop.user == "me" else ""
        found.insert(0, f"{user}{f'[{hop.host}]' if ':' in hop.host else hop.host}{port}")
        hop = hop.gateway
    return found


def test_a_user_whom_ssh_does_not_know_is_told_so() -> None:
    needs("" if os.geteuid() == 0 else "needs root, to become a user without an entry in passwd")
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.setuid(NOBODY_KNOWN)
        os.write(writer, repr(on_each([Host("web", "me")], Connections(trust_new=False).to)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    assert f"No user exists for uid {NOBODY_KNOWN}" in os.read(reader, 65536).decode()
    os.close(reader)


@pytest.mark.parametrize(
    ("text", "name"), [("HostKeyAlias cloud", "cloud"), ("HostName b", "[b]:2222"), ("Port 22", "web")]
)
def test_known_hosts_calls_a_host_as_ssh_does(text: str, name: str, ssh_config: Path) -> None:
    port = "" if "Port" in text else " Port 2222\n"
    ssh_config.write_text(f"Host web\n {text}\n{port}")
    assert options_of(Host("web")).known_as == name


@pytest.mark.parametrize("line", ["ProxyUseFdpass yes", "RevokedHostKeys /etc/revoked"])
def test_what_would_be_passed_over_is_refused(line: str, ssh_config: Path) -> None:
    ssh_config.write_text(f"Host web\n {line}\n")
    with pytest.raises(HostFailure, match="not understood here"):
        options_of(Host("web"))
    options_of(Host("other"))


class TestWithoutSsh:
    """paramiko reads the configuration, as well as it can."""

    @pytest.fixture(autouse=True)
    def no_ssh(self, ssh_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.setattr(reading, "FILES", (str(ssh_config),))

    def test_the_configuration_counts(self, ssh_config: Path) -> None:
        ssh_config.write_text(
            "Host web\n HostName web.example.org\n User me\n Port 2222\n IdentityFile /k%%/%h\n"
            " ProxyCommand nc %h %p\n ConnectTimeout 7\nHost far\n ProxyJump me@door\n"
        )
        web = options_of(Host("web", port=2200))
        assert (web.hostname, web.user, web.port, web.connect_timeout_s) == ("web.example.org", "me", 2200, 7)
        assert web.proxy_command == "nc web.example.org 2222"
        assert web.identity_files == (Path("/k%/web.example.org"),)
        assert options_of(Host("far")).proxy_jump == (Host("door", "me"),)
        assert options_of(Host("else")).user_known_hosts_files[0].name == "known_hosts"

    @pytest.mark.parametrize(
        "text", ["Match final all\n User me\n", "Host web\n Port abc\n", "Match host=w\n"]
    )
    def test_what_cannot_be_read_is_the_hosts_failure(self, text: str, ssh_config: Path) -> None:
        ssh_config.write_text(text)
        with pytest.raises(HostFailure, match="SSH configuration cannot be"):
            Connections(trust_new=False).to(Host("web"))

    def test_a_comment_may_be_in_another_encoding(self, ssh_config: Path) -> None:
        ssh_config.write_bytes(b"# Universit\xe4t\nHost web\n Port 77\n")
        assert options_of(Host("web")).port == 77
