"""deploy.host_keys: known_hosts decides, and says how to add to it. See tests/fleet for real servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from paramiko import ECDSAKey, PKey, SSHClient

from deploy.host_keys import KnownHosts, RefusedHostKey, StrictPolicy, unknown_key_advice


@pytest.fixture
def key() -> PKey:
    return ECDSAKey.generate()


def test_an_unknown_key_is_refused_with_the_command_that_adds_it(key: PKey, tmp_path: Path) -> None:
    policy = StrictPolicy(KnownHosts([tmp_path / "known_hosts"], []), trust_new=False)
    with pytest.raises(RefusedHostKey) as refused:
        policy.missing_host_key(SSHClient(), "[a.example.org]:2222", key)
    assert key.fingerprint in str(refused.value)
    assert f"ssh-keyscan -p 2222 -t ecdsa a.example.org >> {tmp_path}/known_hosts" in refused.value.advice
    assert not (tmp_path / "known_hosts").exists()


def test_a_new_key_is_recorded_when_the_user_trusts_new_ones(key: PKey, tmp_path: Path) -> None:
    file = tmp_path / "ssh" / "known_hosts"
    known_hosts = KnownHosts([file], [])
    StrictPolicy(known_hosts, trust_new=True).missing_host_key(SSHClient(), "a", key)
    file.write_text(file.read_text().rstrip("\n"))
    StrictPolicy(known_hosts, trust_new=True).missing_host_key(SSHClient(), "b", key)
    client = SSHClient()
    known_hosts.load_into(client)
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["a", "b"]
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_revoked_key_is_refused_even_then(key: PKey, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"@revoked * {key.get_name()} {key.get_base64()}\n")
    with pytest.raises(RefusedHostKey, match="revoked"):
        StrictPolicy(KnownHosts([file], []), trust_new=True).missing_host_key(SSHClient(), "a", key)


def test_the_user_may_keep_known_hosts_elsewhere(tmp_path: Path) -> None:
    known = KnownHosts.of({"userknownhostsfile": f'"{tmp_path}/my hosts" /b', "globalknownhostsfile": "none"})
    assert known.user_files == [tmp_path / "my hosts", Path("/b")]


def test_a_path_with_spaces_is_quoted_in_the_command() -> None:
    assert ">> '/my home/known_hosts'" in unknown_key_advice("a", "ssh-ed25519", Path("/my home/known_hosts"))
