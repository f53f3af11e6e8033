"""Who is let in: host keys, users, ports, and bad lists of hosts, against real sshd."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from controller import Controller
from network import NO_PYTHON, Machine, Network

Make = Callable[[Network, list[Machine]], Controller]

pytestmark = pytest.mark.xdist_group("access")


@pytest.fixture(scope="module")
def alpha(lan: Network) -> Machine:
    return lan.add("alpha")


@pytest.fixture(scope="module")
def bravo(lan: Network) -> Machine:
    return lan.add("bravo")


def test_ping_tells_who_answers(lan: Network, alpha: Machine, bravo: Machine, controller_of: Make) -> None:
    said = controller_of(lan, [alpha, bravo]).make("ping")
    for machine in (alpha, bravo):
        line = next(line for line in said.splitlines() if machine.address in line)
        assert machine.name in line
        assert "3." in line


def test_load_tells_memory_and_disk(lan: Network, alpha: Machine, controller_of: Make) -> None:
    assert " MB" in controller_of(lan, [alpha]).make("load")


def test_an_unknown_host_is_refused_and_the_printed_command_adds_it(
    lan: Network, alpha: Machine, bravo: Machine, controller_of: Make
) -> None:
    controller = controller_of(lan, [alpha, bravo])
    lines = controller.known_hosts.read_text().splitlines(keepends=True)
    controller.known_hosts.write_text("".join(line for line in lines if not line.startswith(bravo.address)))
    said = controller.make("ping", ok=False)
    assert "its host key is unknown" in said
    assert alpha.name in said, "one unknown host kept the others from answering"
    assert "1 of 2 hosts failed" in said
    advice = next(line for line in said.splitlines() if "ssh-keyscan" in line)
    controller.run("sh", "-c", advice.partition(": ")[2].partition("   (")[0])
    controller.make("ping")


def test_new_hosts_are_recorded_when_the_user_trusts_them(
    lan: Network, alpha: Machine, controller_of: Make
) -> None:
    controller = controller_of(lan, [alpha])
    controller.known_hosts.unlink()
    controller.make("ping", SSH_TRUST_NEW="1")
    assert alpha.address in controller.known_hosts.read_text()
    controller.make("ping")


def test_hosts_behind_a_jump_host_share_one_connection_to_it(
    lan: Network, alpha: Machine, bravo: Machine, controller_of: Make
) -> None:
    behind = [bravo, lan.add("behind")]
    controller = controller_of(lan, behind)
    with controller.ssh_config.open("a") as config:
        config.write(f"Host {behind[0].address} {behind[1].address}\n    ProxyJump fleet@{alpha.address}\n")
    before = logins(alpha)
    said = controller.make("ping")
    assert all(machine.name in said for machine in behind)
    assert logins(alpha) == before + 1
    known = controller.known_hosts.read_text()
    alphas, bravos = (_key(known, machine) for machine in (alpha, bravo))
    controller.known_hosts.write_text(known.replace(alphas, bravos))
    said = controller.make("ping", ok=False)
    assert said.count(f"its jump host {alpha.address}: its host key has changed") == 2
    assert said.count(f"ssh-keygen -R {alpha.address}") == 2


def test_a_host_is_reached_by_the_way_that_the_ssh_configuration_tells(
    lan: Network, alpha: Machine, bravo: Machine, controller_of: Make
) -> None:
    controller = controller_of(lan, [bravo])
    controller.write_hosts(["web"])
    with controller.ssh_config.open("a") as config:
        config.write(
            f"Match final host={bravo.address}\n    User fleet\nHost web\n    HostName {bravo.address}\n"
            "    HostKeyAlias cloud\n"
            f"    ProxyCommand ssh -W [%h]:%p fleet@{alpha.address} 2>/dev/null\n"
        )
    before = logins(alpha)
    said = controller.make("ping", ok=False)
    assert "its host key is unknown" in said
    advice = next(line for line in said.splitlines() if "ssh-keyscan" in line)
    controller.run("sh", "-c", advice.partition(": ")[2].partition("   (")[0])
    assert "cloud " in controller.known_hosts.read_text()
    assert bravo.name in controller.make("ping")
    assert logins(alpha) == before + 2


def test_an_agents_key_lets_in_and_others_stay_unoffered(
    lan: Network, alpha: Machine, controller_of: Make, tmp_path: Path
) -> None:
    controller = controller_of(lan, [alpha])
    agent, others = tmp_path / "agent", [tmp_path / f"key{number}" for number in range(8)]
    text = controller.run("ssh-agent", "-a", str(agent), "-s")
    controller.environment["SSH_AUTH_SOCK"] = str(agent)
    try:
        for key in others:
            controller.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
            controller.run("ssh-add", "-q", str(key))
        controller.run("ssh-add", "-q", str(lan.key))
        public = tmp_path / "fleet.pub"
        public.write_text(lan.key.with_suffix(".pub").read_text())
        known = f"UserKnownHostsFile {controller.known_hosts}\n"
        controller.ssh_config.write_text(
            f"Host *\n{known}IdentityFile {tmp_path}/fleet\nIdentitiesOnly yes\n"
        )
        controller.make("ping")
        controller.ssh_config.write_text(f"Host *\n{known}IdentityFile {tmp_path}/none\n")
        assert "it refused to let us in" in controller.make("ping", ok=False), "sshd takes six keys, not nine"
    finally:
        os.kill(int(text.partition("SSH_AGENT_PID=")[2].partition(";")[0]), signal.SIGTERM)


def logins(machine: Machine) -> int:
    """How many connections its sshd has let in."""
    return (machine.directory / "console.log").read_text().count("Accepted publickey")


def test_known_hosts_may_have_odd_lines(lan: Network, alpha: Machine, controller_of: Make) -> None:
    controller = controller_of(lan, [alpha])
    known = controller.known_hosts.read_bytes()
    controller.known_hosts.write_bytes(
        b"@cert-authority *.example.org ssh-ed25519 AAAA\nz ssh-rsa AA=A\n# \xfc\n" + known
    )
    controller.make("ping")


@pytest.mark.parametrize("trust_new", ["0", "1"])
def test_a_changed_key_is_always_refused(
    trust_new: str, lan: Network, alpha: Machine, bravo: Machine, controller_of: Make
) -> None:
    controller = controller_of(lan, [bravo, alpha])
    known = controller.known_hosts.read_text()
    alphas, bravos = (_key(known, machine) for machine in (alpha, bravo))
    controller.known_hosts.write_text(known.replace(bravos, alphas))
    said = controller.make("ping", ok=False, SSH_TRUST_NEW=trust_new)
    assert "its host key has changed" in said
    assert f"ssh-keygen -R {bravo.address}" in said
    assert "1 of 2 hosts failed" in said
    assert controller.known_hosts.read_text() == known.replace(bravos, alphas)


def test_a_wrong_user_and_a_refused_port_are_told_apart(
    lan: Network, alpha: Machine, closed_port: int, controller_of: Make
) -> None:
    controller = controller_of(lan, [alpha])
    controller.write_hosts([f"nobody-here@{alpha.address}", f"127.0.0.1:{closed_port}"])
    said = controller.make("ping", ok=False)
    assert "it refused to let us in" in said
    assert "connection refused" in said
    assert f"try: ssh -p {closed_port} fleet@127.0.0.1" in said


def test_bad_lines_stop_everything_before_any_connection(lan: Network, controller_of: Make) -> None:
    controller = controller_of(lan, [])
    with socket.create_server(("127.0.0.1", 0)) as host:
        good = f"127.0.0.1:{host.getsockname()[1]}"
        controller.write_hosts([good, "a; touch /tmp/hacked", "b:99999", f"fleet@{good}"])
        said = controller.make("ping", ok=False)
        host.setblocking(False)
        with pytest.raises(BlockingIOError):
            host.accept()
    assert all(f"ips.txt:{number}: " in said for number in (2, 3, 4))


def test_only_the_chosen_hosts_are_asked(
    lan: Network, alpha: Machine, bravo: Machine, controller_of: Make
) -> None:
    controller = controller_of(lan, [alpha, bravo])
    assert bravo.name not in controller.make("stop", ok=False, HOSTS=alpha.address)
    assert "is not in the list of hosts" in controller.make("stop", ok=False, HOST="charlie")


def test_hosts_that_cannot_be_provided_say_why_and_the_others_go_on(
    lan: Network, controller_of: Make
) -> None:
    bare = lan.add("bare", path=NO_PYTHON)
    tiny = lan.add("tiny", home_size="200k")
    small = lan.add("small", home_size="20m")
    controller = controller_of(lan, [bare, tiny, small])
    controller.write_env(
        REMOTE_USER="fleet", REMOTE_WORKING_DIR="~/tmdb", REDIS_URL="redis://:pw@192.0.2.1/0"
    )
    said = controller.make("init", ok=False)
    reasons = {machine: _reason(said, machine) for machine in (bare, tiny, small)}
    assert "python3" in reasons[bare]
    assert "disk full" in reasons[tiny]
    assert "No space left" in reasons[tiny]
    assert "disk full" in reasons[small]
    assert "3 of 3 hosts failed" in said


def _key(known_hosts: str, machine: Machine) -> str:
    return next(
        line.partition(" ")[2] for line in known_hosts.splitlines() if line.startswith(f"{machine.address} ")
    )


def _reason(said: str, machine: Machine) -> str:
    return next(line for line in said.splitlines() if line.startswith(f"{machine.address}: "))
