"""deploy.ssh.host_keys: known_hosts decides, and says how to add to it. See tests/fleet for real servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from paramiko import ECDSAKey, PKey, SSHClient
from paramiko.hostkeys import HostKeys
from paramiko.ssh_exception import BadHostKeyException

from deploy.ssh.host_keys import KnownHosts, RefusedHostKey, StrictPolicy, Trust, unknown_key_advice
from deploy.ssh.hosts import Host


@pytest.fixture
def key() -> PKey:
    return ECDSAKey.generate()


def policy_of(known_hosts: KnownHosts, host: Host, trust_new: bool) -> StrictPolicy:
    return StrictPolicy(known_hosts, host.known_as, host, trust_new)


def known(known_hosts: KnownHosts, name: str) -> set[PKey]:
    """The keys by which a connection to `name` would go."""
    return set(known_hosts.keys_of(name))


def test_an_unknown_key_is_refused_with_the_command_that_adds_it(key: PKey, tmp_path: Path) -> None:
    policy = policy_of(KnownHosts([tmp_path / "known_hosts"], []), Host("a.example.org", port=2222), False)
    with pytest.raises(RefusedHostKey) as refused:
        policy.missing_host_key(SSHClient(), "", key)
    assert key.fingerprint in str(refused.value)
    assert f"ssh-keyscan -p 2222 -t ecdsa a.example.org >> {tmp_path}/known_hosts" in refused.value.advice
    assert not (tmp_path / "known_hosts").exists()


def test_a_new_key_is_recorded_when_the_user_trusts_new_ones(key: PKey, tmp_path: Path) -> None:
    file = tmp_path / "ssh" / "known_hosts"
    known_hosts = KnownHosts([file], [])
    policy_of(known_hosts, Host("a"), True).missing_host_key(SSHClient(), "", key)
    file.write_text(file.read_text().rstrip("\n"))
    policy_of(known_hosts, Host("b"), True).missing_host_key(SSHClient(), "", key)
    assert known(known_hosts, "a") == known(KnownHosts([file], []), "b") == {key}
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["a", "b"]
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_revoked_key_is_refused_even_then(key: PKey, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"@revoked * {key.get_name()} {key.get_base64()}\n")
    with pytest.raises(RefusedHostKey, match="revoked"):
        policy_of(KnownHosts([file], []), Host("a"), True).missing_host_key(SSHClient(), "", key)


def test_who_keeps_no_known_hosts_knows_nobody_and_records_nothing(key: PKey) -> None:
    known_hosts = KnownHosts([], [])
    policy_of(known_hosts, Host("a"), True).missing_host_key(SSHClient(), "", key)
    assert known_hosts.user_files == [Path("/dev/null")]


def test_a_key_is_looked_for_and_recorded_under_its_alias(key: PKey, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    aliased = StrictPolicy(KnownHosts([file], []), "alias", Host("10.0.0.1", port=2222), False)
    with pytest.raises(RefusedHostKey) as refused:
        aliased.missing_host_key(SSHClient(), "", key)
    assert f"ssh-keyscan -p 2222 -t ecdsa 10.0.0.1 | sed 's/^[^ ]*/alias/' >> {file}" in refused.value.advice
    aliased.trust_new = True
    aliased.missing_host_key(SSHClient(), "", key)
    assert file.read_text().startswith("alias ")


def test_a_path_with_spaces_is_quoted_in_the_command() -> None:
    assert ">> '/my home/known_hosts'" in unknown_key_advice(
        Host("a"), "a", "ssh-ed25519", Path("/my home/known_hosts")
    )


def test_an_odd_line_keeps_no_host_from_being_known(key: PKey, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    line = f"{key.get_name()} {key.get_base64()}"
    file.write_bytes(
        f"@cert-authority * {line}\n@revoked * ssh-rsa AAAA\n|1|damaged {line}\nb ssh-ed25519 AAAA\n".encode()
        + f"c {key.get_name()} AAA\nd ssh-new-kind AAAA\ne\n# Universit\xe4t\na  {line} B\xfcro\n".encode(
            "latin-1"
        )
    )
    known_hosts = KnownHosts([file], [])
    assert known(known_hosts, "a") == {key}
    assert all(known(known_hosts, name) == set() for name in "bcde")


@pytest.mark.parametrize(
    ("names", "name", "known_there"),
    [
        ("*.example.org", "a.example.org", True),
        ("*.example.org", "example.org", False),
        ("*,!b", "b", False),
        ("a?", "a1", True),
        ("[a]:2222", "[a]:2222", True),
        ("[a]:2222", "a", False),
        ("A", "a", True),
        pytest.param(HostKeys.hash_host("a"), "A", True, id="hashed"),
    ],
)
def test_names_are_patterns(names: str, name: str, known_there: bool, key: PKey, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text(f"{names} {key.get_name()} {key.get_base64()}\n")
    assert known(KnownHosts([tmp_path / "known_hosts"], []), name) == ({key} if known_there else set())


def test_a_revoked_key_is_not_known_even_where_it_is_listed(key: PKey, tmp_path: Path) -> None:
    file, line = tmp_path / "known_hosts", f"{key.get_name()} {key.get_base64()}"
    file.write_text(f"a {line}\n@revoked a {line}\n")
    known_hosts = KnownHosts([file], [])
    assert known(known_hosts, "a") == set()
    with pytest.raises(RefusedHostKey, match="revoked"):
        policy_of(known_hosts, Host("a"), True).missing_host_key(SSHClient(), "", key)


def test_a_changed_key_is_told_with_its_entry_and_file(key: PKey, tmp_path: Path) -> None:
    file, shown = tmp_path / "known_hosts", ECDSAKey.generate()
    file.write_text(f"[a]:2222 {key.get_name()} {key.get_base64()}\n")
    refused = KnownHosts([file], []).refusal("[a]:2222", BadHostKeyException("a", shown, key))
    assert shown.fingerprint in str(refused)
    assert f"ssh-keygen -R '[a]:2222' -f {file}" in refused.advice


def test_known_hosts_is_read_once_and_written_in_turn(key: PKey, tmp_path: Path) -> None:
    trust = Trust(new_hosts=True)
    files = (tmp_path / "known_hosts",)
    assert trust.known_hosts(files, ()) is trust.known_hosts(files, ())
    trust.known_hosts(files, ()).add("a", key)
    assert known(trust.known_hosts(files, ()), "a") == {key}
