"""How to reach a host: the options of its SSH configuration that count here, as ssh_config(5) means them."""

from __future__ import annotations

import os
import pwd
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from deploy.ssh import ssh_config
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import SSH_PORT, Host, parse_host
from deploy.ssh.ssh_config import Said

CONNECT_TIMEOUT_S = 10.0
"""Where the configuration has no ConnectTimeout."""

NOT_UNDERSTOOD = {"proxyusefdpass": "no", "revokedhostkeys": "none", "bindinterface": "none"}
"""Options that lead elsewhere, or keep a host out, and that the SSH library cannot follow; and their value
when they say nothing."""

IDENTITIES = [f"~/.ssh/id_{name}" for name in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk")]
KNOWN_HOSTS = {
    "userknownhostsfile": "~/.ssh/known_hosts ~/.ssh/known_hosts2",
    "globalknownhostsfile": "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
}
AGENT_VARIABLE = "SSH_AUTH_SOCK"


@dataclass(frozen=True)
class Options:
    """Of one host, by their names in ssh_config(5)."""

    hostname: str
    user: str
    port: int
    identity_files: tuple[Path, ...]
    """Those that the configuration names, or the usual ones; they need not exist."""
    certificate_files: tuple[Path, ...]
    identities_only: bool
    identity_agent: str
    """The agent's socket; empty for none."""
    pubkey_authentication: bool
    proxy_jump: tuple[Host, ...]
    """In the order in which they are passed."""
    proxy_command: str
    user_known_hosts_files: tuple[Path, ...]
    global_known_hosts_files: tuple[Path, ...]
    host_key_alias: str
    connect_timeout_s: float
    address_family: str
    """any, inet or inet6."""
    bind_address: str

    @property
    def known_as(self) -> str:
        """As known_hosts names it."""
        return self.host_key_alias or Host(self.hostname, port=self.port).known_as


def options_of(host: Host) -> Options:
    """What the SSH configuration says of `host`, and `host` itself, which wins. Raises `HostFailure`."""
    said = ssh_config.read(host)
    for keyword, nothing in NOT_UNDERSTOOD.items():
        if _first(said, keyword, nothing) != nothing:
            raise HostFailure(
                f"its SSH configuration says {keyword} {_first(said, keyword)}, which is not understood here",
                f"leave that out for this host in {ssh_config.FILES[0]}",
            )
    try:
        return _options(host, said)
    except (ValueError, RuntimeError) as error:
        raise HostFailure(f"its SSH configuration cannot be used: {error}", ssh_config.see(host)) from None


def _options(host: Host, said: Said) -> Options:
    """Raises `ValueError`."""
    hostname = _first(said, "hostname", host.address)
    user = _first(said, "user") or _local_user()
    port = int(_first(said, "port", str(SSH_PORT)))
    alias = _not_none(said, "hostkeyalias")
    tokens = _tokens(said, host, hostname, user, port, alias)
    jumps = _not_none(said, "proxyjump")
    timeout = _not_none(said, "connecttimeout")
    command = _not_none(said, "proxycommand")
    agent = _first(said, "identityagent", AGENT_VARIABLE)
    return Options(
        hostname=hostname,
        user=user,
        port=port,
        identity_files=_paths(said.get("identityfile", IDENTITIES), tokens),
        certificate_files=_paths(said.get("certificatefile", []), tokens),
        identities_only=_first(said, "identitiesonly") == "yes",
        identity_agent=_agent(agent, tokens),
        pubkey_authentication=_first(said, "pubkeyauthentication", "yes") not in ("no", "false"),
        proxy_jump=tuple(map(_hop, jumps.split(","))) if jumps else (),
        proxy_command="" if jumps else _with_tokens(command, tokens),
        user_known_hosts_files=_listed(said, "userknownhostsfile", tokens),
        global_known_hosts_files=_listed(said, "globalknownhostsfile", tokens),
        host_key_alias=alias,
        connect_timeout_s=float(timeout) if timeout else CONNECT_TIMEOUT_S,
        address_family=_first(said, "addressfamily", "any"),
        bind_address=_not_none(said, "bindaddress"),
    )


def _first(said: Said, keyword: str, default: str = "") -> str:
    return (said.get(keyword) or [default])[0]


def _not_none(said: Said, keyword: str) -> str:
    """Empty for `none`, which is how the configuration says that an earlier file's value does not count."""
    value = _first(said, keyword)
    return "" if value.lower() == "none" else value


def _hop(text: str) -> Host:
    """Raises `ValueError`."""
    return parse_host(text.strip().removeprefix("ssh://"))


def _agent(said: str, tokens: dict[str, str]) -> str:
    if said.lower() == "none":
        return ""
    variable = AGENT_VARIABLE if said == AGENT_VARIABLE else said[1:] if said.startswith("$") else ""
    return os.environ.get(variable, "") if variable else str(_path(said, tokens))


def _listed(said: Said, keyword: str, tokens: dict[str, str]) -> tuple[Path, ...]:
    """`ssh -G` quotes nothing: a name begins with a slash or a tilde, and may have spaces."""
    listed = _first(said, keyword, KNOWN_HOSTS[keyword])
    return _paths(re.split(r"\s+(?=[/~])", listed.replace('"', "")), tokens)


def _paths(names: list[str], tokens: dict[str, str]) -> tuple[Path, ...]:
    return tuple(_path(name, tokens) for name in names if name.lower() != "none")


def _path(name: str, tokens: dict[str, str]) -> Path:
    text = re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], ""), _with_tokens(name, tokens))
    return Path(re.sub(r"^~(?=/|$)", lambda _: tokens["d"], text)).expanduser()


def _with_tokens(text: str, tokens: dict[str, str]) -> str:
    return re.sub("%(.)", lambda found: tokens.get(found[1], found[0]), text)


def _tokens(said: Said, host: Host, hostname: str, user: str, port: int, alias: str) -> dict[str, str]:
    """ssh_config(5), TOKENS."""
    here = socket.gethostname()
    return {
        "%": "%",
        "d": ssh_config.home(),
        "h": hostname,
        "i": str(os.getuid()),
        "j": _not_none(said, "proxyjump"),
        "k": alias or host.address,
        "L": here.partition(".")[0],
        "l": here,
        "n": host.address,
        "p": str(port),
        "r": user,
        "u": _local_user(),
    }


def _local_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return os.environ.get("USER", "")
