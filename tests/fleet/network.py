"""Machines to test a fleet on: each a network, mount, host name and process namespace with a real sshd.

A machine has its own address on a bridge, its own users, its own home (a tmpfs, or a folder that it shares
with others), and no package index. Powering it off takes all its processes along.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

USER = "fleet"
USER_ID = 7077
CONTROLLER = 1
START_DEADLINE_S = 15.0
NO_PYTHON = "/nowhere"
NEW_NAMESPACES = ("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")


def why_impossible() -> str:
    """The reason why machines cannot be made here; empty when they can."""
    if os.geteuid() != 0:
        return "needs root to make network namespaces"
    for program, package in {
        "ip": "iproute2",
        "/usr/sbin/sshd": "openssh-server",
        "unshare": "util-linux",
    }.items():
        if shutil.which(program) is None:
            return f"needs {program}: apt install {package}"
    probe = subprocess.run(
        ["unshare", "--mount", "--uts", "--pid", "--net", "--fork", "true"], capture_output=True
    )
    return "" if probe.returncode == 0 else f"namespaces are forbidden here: {probe.stderr.decode().strip()}"


@dataclass(eq=False)
class Machine:
    """A host of the test's fleet."""

    name: str
    address: str
    directory: Path
    """Its configuration and sshd's log; nothing that the machine itself may write to."""
    namespace: str
    link: str
    """The bridge's end of its cable."""
    path: str = ""
    """PATH of its SSH sessions; empty for the usual one."""
    home_size: str = ""
    """Such as 20m: a small disk of its own, which is empty after each start."""
    shared_home: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def power_on(self) -> None:
        """Start it and wait for its sshd."""
        self.plug_in()
        script = self.directory / "boot.sh"
        script.write_text(self._boot_script())
        with (self.directory / "console.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, *NEW_NAMESPACES, "sh", "-e", str(script)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_for_sshd()

    def power_off(self) -> None:
        """Pull the plug: nothing on it runs on, no connection is closed in good order."""
        if self.process is not None:
            self.unplug()
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def unplug(self) -> None:
        """Cut it off from the network; it runs on."""
        _run("ip", "link", "set", self.link, "down")

    def plug_in(self) -> None:
        """The end of `unplug`."""
        _run("ip", "link", "set", self.link, "up")

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command on the machine as its user, without SSH."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        inside = [
            "nsenter",
            "--target",
            children[0],
            "--mount",
            "--uts",
            "--pid",
            "--net",
            "--setuid",
            str(USER_ID),
        ]
        done = subprocess.run(
            [*inside, "--setgid", str(USER_ID), *command], capture_output=True, text=True, timeout=60
        )
        assert not check or done.returncode == 0, f"{command} on {self.name}: {done.stdout}{done.stderr}"
        return done.stdout

    def change_host_key(self) -> None:
        """As after a reinstallation; takes effect with the next connection."""
        (self.directory / "host_key").unlink()
        (self.directory / "host_key.pub").unlink()
        _make_key(self.directory / "host_key")

    def _boot_script(self) -> str:
        disk = shlex.quote(str(self.shared_home or self.directory / "home"))
        what = f"-t tmpfs -o size={self.home_size},mode=700,uid={USER_ID}" if self.home_size else "--bind"
        files = shlex.quote(str(self.directory))
        return f"""
            mount --make-rprivate /
            hostname {self.name}
            for file in passwd group shadow; do mount --bind {files}/$file /etc/$file; done
            mount -t tmpfs -o mode=755 tmpfs /home
            mkdir /home/{USER}
            mount {what} {disk} /home/{USER}
            mount -t tmpfs -o mode=755 tmpfs /opt
            mount -t tmpfs -o mode=755 tmpfs /root
            mount -t tmpfs -o mode=755 tmpfs /run
            mkdir /run/sshd
            cd /
            exec /usr/sbin/sshd -D -e -f {files}/sshd_config
        """

    def _wait_for_sshd(self) -> None:
        until = time.monotonic() + START_DEADLINE_S
        while True:
            try:
                socket.create_connection((self.address, 22), 1).close()
                return
            except OSError:
                log = (self.directory / "console.log").read_text()
                assert self.process is not None and self.process.poll() is None, (
                    f"{self.name} did not start: {log}"
                )
                assert time.monotonic() < until, f"{self.name}: no sshd: {log}"
                time.sleep(0.02)


class Network:
    """A bridge in this machine's network, and the machines on it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.directory.mkdir(mode=0o755)
        self.machines: list[Machine] = []
        self.subnet = _free_subnet()
        self.bridge = f"tf{os.getpid()}-{self.subnet.rpartition('.')[2]}"
        self.key = directory / "user_key"
        _make_key(self.key)
        self.authorities = directory / "authorities.pem"
        """Whom the machines trust: whomever this one does, and the authority of the network's own servers."""
        self.certificate = directory / "server.pem"
        """Of a server at `controller`, with its key."""
        self._certify()
        _run("ip", "link", "add", self.bridge, "type", "bridge")
        _run("ip", "address", "add", f"{self.controller}/24", "dev", self.bridge)
        _run("ip", "link", "set", self.bridge, "up")

    @property
    def controller(self) -> str:
        """The address of this machine as the others see it."""
        return f"{self.subnet}.{CONTROLLER}"

    @property
    def https(self) -> list[str]:
        """Options of a sandbox that the machines trust."""
        tls = ["--tls-cert", str(self.certificate), "--tls-key", str(self.certificate)]
        return ["--host", self.controller, *tls]

    def add(
        self,
        name: str,
        *,
        shared_home: Path | None = None,
        home_size: str = "",
        path: str = "",
        on: bool = True,
    ) -> Machine:
        """A new machine, switched on unless told otherwise."""
        number = len(self.machines) + CONTROLLER + 1
        directory = self.directory / f"{number}-{name}"
        directory.mkdir()
        machine = Machine(
            name=name,
            address=f"{self.subnet}.{number}",
            directory=directory,
            namespace=f"{self.bridge}-{number}",
            link=f"{self.bridge}-{number}",
            path=path,
            home_size=home_size,
            shared_home=shared_home,
        )
        self.machines.append(machine)
        self._write_configuration(machine)
        self._connect(machine)
        if on:
            machine.power_on()
        return machine

    def shared_home(self) -> Path:
        """A folder that machines can have as their home together, as with NFS."""
        return _make_home(self.directory / "shared-home")

    def known_hosts(self) -> str:
        """What a known_hosts file says that knows all machines."""
        return "".join(
            f"{machine.address} {' '.join((machine.directory / 'host_key.pub').read_text().split()[:2])}\n"
            for machine in self.machines
        )

    def remove(self) -> None:
        """Take everything away that this object made."""
        for machine in self.machines:
            if machine.process is not None:
                os.kill(machine.process.pid, signal.SIGKILL)
                machine.process.wait()
            subprocess.run(["ip", "netns", "delete", machine.namespace], capture_output=True)
            subprocess.run(["ip", "link", "delete", machine.link], capture_output=True)
        subprocess.run(["ip", "link", "delete", self.bridge], capture_output=True)

    def _certify(self) -> None:
        authority = trustme.CA()
        known = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
        trusted = Path(known).read_bytes() if Path(known).is_file() else b""
        self.authorities.write_bytes(trusted + authority.cert_pem.bytes())
        self.authorities.chmod(0o644)
        authority.issue_cert(self.controller).private_key_and_cert_chain_pem.write_to_path(
            str(self.certificate)
        )

    def _connect(self, machine: Machine) -> None:
        inside = ("ip", "-netns", machine.namespace)
        _run("ip", "netns", "add", machine.namespace)
        _run(
            "ip",
            "link",
            "add",
            machine.link,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            machine.namespace,
        )
        _run("ip", "link", "set", machine.link, "master", self.bridge, "up")
        _run(*inside, "address", "add", f"{machine.address}/24", "dev", "eth0")
        _run(*inside, "link", "set", "eth0", "up")
        _run(*inside, "link", "set", "lo", "up")

    def _write_configuration(self, machine: Machine) -> None:
        files = machine.directory
        _make_home(files / "home")
        _make_key(files / "host_key")
        shutil.copy(self.key.with_suffix(".pub"), files / "authorized_keys")
        for name, line in {
            "passwd": f"{USER}:x:{USER_ID}:{USER_ID}::/home/{USER}:/bin/bash\n",
            "group": f"{USER}:x:{USER_ID}:\n",
            "shadow": f"{USER}:*:19000:0:99999:7:::\n",
        }.items():
            (files / name).write_text(Path(f"/etc/{name}").read_text() + line)
        (files / "shadow").chmod(0o600)
        (files / "sshd_config").write_text(
            f"""
            ListenAddress {machine.address}
            HostKey {files}/host_key
            AuthorizedKeysFile {files}/authorized_keys
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PidFile none
            MaxStartups 100
            SetEnv SSL_CERT_FILE={self.authorities} {f"PATH={machine.path}" if machine.path else ""}
            """
        )


@contextmanager
def network(directory: Path) -> Iterator[Network]:
    """A `Network` that is gone afterwards, whatever happened."""
    made = Network(directory)
    try:
        yield made
    finally:
        made.remove()


def _free_subnet() -> str:
    taken = subprocess.run(
        ["ip", "-4", "-oneline", "address"], capture_output=True, text=True, check=True
    ).stdout
    start = os.getpid() % 250
    for number in [*range(start, 250), *range(start)]:
        if f" 10.77.{number}." not in taken:
            return f"10.77.{number}"
    raise RuntimeError("all of 10.77.0.0/16 is taken")


def _make_home(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    os.chown(folder, USER_ID, USER_ID)
    return folder


def _make_key(path: Path) -> None:
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr}"
