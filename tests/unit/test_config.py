"""What a user may pass for an endpoint, and where a daemon is looked for."""

from __future__ import annotations

import os
import pickle
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from incus_sdk._discovery import why_not
from incus_sdk._proxies import parse_proxy, proxy_for
from incus_sdk.config import Endpoint, resolve_endpoint
from incus_sdk.exceptions import IncusConfigurationError


def resolve(endpoint: Any = None, cert: Any = None, verify: Any = True, **environ: str) -> Endpoint:
    return resolve_endpoint(endpoint, cert, verify, environ, folders=("/nowhere/run", "/nowhere/lib"))


def refusal(endpoint: Any = None, cert: Any = None, verify: Any = True, **environ: str) -> str:
    with pytest.raises(IncusConfigurationError) as caught:
        resolve(endpoint, cert, verify, **environ)
    return caught.value.message


def bind(path: Path, mode: int = 0o660) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    path.chmod(mode)
    return path


class TestAddress:
    @pytest.mark.parametrize(
        "given",
        ["unix:///run/i.socket", "unix:/run/i.socket", "/run/i.socket", Path("/run/i.socket")],
        ids=str,
    )
    def test_unix(self, given: Any) -> None:
        assert resolve(given) == Endpoint("unix:///run/i.socket", "/run/i.socket")

    @pytest.mark.parametrize(
        ("given", "host", "port", "url"),
        [
            ("https://host", "host", 8443, "https://host:8443"),
            ("https://host/", "host", 8443, "https://host:8443"),
            ("https://host:", "host", 8443, "https://host:8443"),
            ("HTTPS://Host.Example:443/", "host.example", 443, "https://host.example:443"),
            ("https://host.example.", "host.example.", 8443, "https://host.example.:8443"),
            ("https://under_score", "under_score", 8443, "https://under_score:8443"),
            ("https://192.0.2.1", "192.0.2.1", 8443, "https://192.0.2.1:8443"),
            ("https://[2001:db8::1]", "2001:db8::1", 8443, "https://[2001:db8::1]:8443"),
            ("https://[2001:db8::1]:1/", "2001:db8::1", 1, "https://[2001:db8::1]:1"),
            ("https://[fe80::1%25eth0]", "fe80::1%eth0", 8443, "https://[fe80::1%eth0]:8443"),
            ("https://bücher.example", "xn--bcher-kva.example", 8443, "https://xn--bcher-kva.example:8443"),
        ],
    )
    def test_https(self, given: str, host: str, port: int, url: str) -> None:
        assert resolve(given) == Endpoint(url, host=host, port=port)

    @pytest.mark.parametrize(
        ("given", "why"),
        [
            ("", "it is empty"),
            ("http://host:8443", "Incus servers speak TLS only"),
            ("ftp://host", "the scheme is unknown"),
            ("host", "do you mean https://host?"),
            ("host:8443", "do you mean https://host:8443?"),
            ("192.0.2.1:8443", "do you mean https://192.0.2.1:8443?"),
            ("https://", "the host is missing"),
            ("https:///path", "the host is missing"),
            ("https://host/1.0", "no meaning here"),
            ("https://host?project=p", "no meaning here"),
            ("https://host#x", "no meaning here"),
            ("https://host:0", "no meaning here"),
            ("https://host:65536", "Port out of range"),
            ("https://host:port", "Port could not be cast"),
            ("https://[2001:db8::1", "Invalid IPv6 URL"),
            ("https://[host]", ""),
            ("https://ho st", "spaces or control characters"),
            ("https://host\n", "spaces or control characters"),
            ("https://-host", "no host name"),
            ("https://ho!st", "no host name"),
            ("https://a..b", "no host name"),
            ("https://" + "a." * 130 + "b", "no host name"),
            ("https://ü" + "b" * 70, "cannot be encoded"),
            ("unix://run/i.socket", "as in unix:///run/i.socket"),
            ("unix:i.socket", "must be absolute"),
            ("/run/i\0socket", "no NUL bytes"),
            (Path("i.socket"), "the scheme is missing"),
        ],
    )
    def test_refused(self, given: Any, why: str) -> None:
        message = refusal(given)
        assert why in message
        assert "accepted are https://HOST[:PORT]" in message

    @pytest.mark.parametrize(
        "given", ["https://user:s3cret@host", "https://host?token=s3cret", "http://:s3cret@h/#s3cret"]
    )
    def test_secrets_are_not_repeated(self, given: str) -> None:
        assert "s3cret" not in refusal(given)
        assert "s3cret" not in refusal(INCUS_ENDPOINT=given)

    @pytest.mark.parametrize("given", [5, b"/run/i.socket", ["https://host"], True])
    def test_wrong_type(self, given: Any) -> None:
        with pytest.raises(TypeError, match="endpoint must be"):
            resolve(given)

    def test_tls_version(self) -> None:
        for value, expected in {"true": True, "1": True, "Yes": True, "on": True, "false": False, "0": False}.items():
            assert resolve("https://host", INCUS_INSECURE_TLS=value).insecure_tls is expected

    def test_plain_value(self) -> None:
        endpoint = resolve("https://host")
        assert pickle.loads(pickle.dumps(endpoint)) == endpoint
        assert hash(endpoint) == hash(resolve("https://host"))
        with pytest.raises(AttributeError):
            endpoint.port = 1  # type: ignore[misc]  # what the test is about


class TestDiscovery:
    @pytest.fixture
    def folders(self, tmp_path: Path) -> tuple[str, str]:
        return str(tmp_path / "run"), str(tmp_path / "lib")

    def find(self, folders: tuple[str, str], endpoint: Any = None, **environ: str) -> Endpoint:
        return resolve_endpoint(endpoint, environ=environ, folders=folders)

    def test_endpoint_variable_comes_first(self, folders: tuple[str, str]) -> None:
        found = self.find(folders, INCUS_ENDPOINT="https://host", INCUS_SOCKET="/run/i.socket")
        assert (found.url, found.source) == ("https://host:8443", "INCUS_ENDPOINT")

    def test_argument_comes_before_variables(self, folders: tuple[str, str]) -> None:
        found = self.find(folders, "/run/other.socket", INCUS_ENDPOINT="https://host", INCUS_SOCKET="/run/i.socket")
        assert (found.socket, found.source) == ("/run/other.socket", "")

    @pytest.mark.parametrize("text", ["unix://", "unix:"])
    def test_unix_without_path_searches(self, folders: tuple[str, str], text: str) -> None:
        assert self.find(folders, text, INCUS_SOCKET="/run/i.socket").socket == "/run/i.socket"
        assert self.find(folders, INCUS_ENDPOINT=text).socket == f"{folders[1]}/unix.socket"

    def test_socket_variable(self, folders: tuple[str, str]) -> None:
        found = self.find(folders, INCUS_SOCKET="/run/i.socket", INCUS_DIR="/var/other")
        assert (found.socket, found.source, found.candidates) == ("/run/i.socket", "INCUS_SOCKET", ())

    def test_socket_variable_with_a_url(self, folders: tuple[str, str]) -> None:
        with pytest.raises(IncusConfigurationError, match="INCUS_SOCKET must be a path, not a URL"):
            self.find(folders, INCUS_SOCKET="unix:///run/i.socket")

    def test_folder_variable(self, folders: tuple[str, str], tmp_path: Path) -> None:
        found = self.find(folders, INCUS_DIR=str(tmp_path))
        assert (found.socket, found.source) == (str(tmp_path / "unix.socket"), "INCUS_DIR")
        assert found.candidates == (str(tmp_path / "unix.socket"), str(tmp_path / "unix.socket.user"))

    def test_relative_paths_of_variables(
        self, folders: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert self.find(folders, INCUS_SOCKET="i.socket").socket == str(tmp_path / "i.socket")
        assert self.find(folders, INCUS_DIR="incus").socket == str(tmp_path / "incus" / "unix.socket")

    def test_empty_variables_count_as_unset(self, folders: tuple[str, str]) -> None:
        found = self.find(folders, INCUS_ENDPOINT="", INCUS_SOCKET="", INCUS_DIR="")
        assert (found.socket, found.source) == (f"{folders[1]}/unix.socket", "")

    def test_first_folder_wins_if_there_is_a_socket(self, folders: tuple[str, str]) -> None:
        bind(Path(folders[0], "unix.socket"))
        bind(Path(folders[1], "unix.socket"))
        assert self.find(folders).url == f"unix://{folders[0]}/unix.socket"

    def test_last_folder_otherwise(self, folders: tuple[str, str]) -> None:
        found = self.find(folders)
        assert found.socket == f"{folders[1]}/unix.socket"
        assert found.candidates == tuple(f"{f}/{n}" for f in folders for n in ("unix.socket", "unix.socket.user"))

    def test_restricted_socket_if_the_other_is_missing(self, folders: tuple[str, str]) -> None:
        path = bind(Path(folders[1], "unix.socket.user"))
        found = self.find(folders)
        assert (found.socket, found.project) == (str(path), f"user-{os.geteuid()}")

    def test_restricted_socket_if_the_other_is_not_writable(
        self, folders: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The system's answer is replaced, since everything is writable for root, who runs these tests in places."""
        closed = bind(Path(folders[0], "unix.socket"))
        restricted = bind(Path(folders[0], "unix.socket.user"))

        def access(path: str, mode: int, **_: Any) -> bool:
            return mode == os.W_OK and path != str(closed)

        monkeypatch.setattr(os, "access", access)
        found = self.find(folders)
        assert (found.socket, found.project) == (str(restricted), f"user-{os.geteuid()}")

    def test_writable_socket_comes_before_the_restricted_one(self, folders: tuple[str, str]) -> None:
        path = bind(Path(folders[1], "unix.socket"))
        bind(Path(folders[1], "unix.socket.user"))
        found = self.find(folders)
        assert (found.socket, found.project) == (str(path), None)

    def test_remotes_of_the_command_line_client_are_ignored(self, folders: tuple[str, str], tmp_path: Path) -> None:
        (tmp_path / "config.yml").write_text("default-remote: far\nremotes: {far: {addr: 'https://far:8443'}}\n")
        found = self.find(folders, INCUS_CONF=str(tmp_path), INCUS_REMOTE="far", INCUS_PROJECT="p")
        assert (found.socket, found.project) == (f"{folders[1]}/unix.socket", None)

    def test_default_folders(self) -> None:
        assert resolve_endpoint(environ={}).candidates[::2] == ("/run/incus/unix.socket", "/var/lib/incus/unix.socket")


class TestWhyNot:
    """The wording for what root cannot run into; the rest is in the tests of the dialer, on real sockets."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return bind(tmp_path / "unix.socket")

    def test_group_without_a_name(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, -1, 54321)
            assert "belongs to group 54321, which has no name here" in why_not(str(path), PermissionError())
        else:
            assert "no permission" in why_not(str(path), PermissionError())

    def test_owner_only(self, path: Path) -> None:
        path.chmod(0o600)
        assert why_not(str(path), PermissionError()) == "no permission: only its owner may use it (mode rw-------)"

    def test_member_whose_session_is_older(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import grp
        import pwd

        user = pwd.getpwuid(os.geteuid()).pw_name
        group = grp.struct_group(("incus-admin", "x", 1, [user]))

        def members(_: int) -> grp.struct_group:
            return group

        if os.geteuid() == 0:
            os.chown(path, -1, 1)  # any group but root's
        monkeypatch.setattr(grp, "getgrgid", members)
        assert "this session began before that: log in again" in why_not(str(path), PermissionError())


@pytest.fixture
def pem() -> tuple[str, str]:
    issued = trustme.CA().issue_cert("host")
    return issued.cert_chain_pems[0].bytes().decode(), issued.private_key_pem.bytes().decode()


@pytest.fixture
def files(tmp_path: Path, pem: tuple[str, str]) -> tuple[Path, Path]:
    crt, key = tmp_path / "client.crt", tmp_path / "client.key"
    crt.write_text(pem[0])
    key.write_text(pem[1])
    return crt, key


class TestCertificates:
    def test_paths_and_text(self, files: tuple[Path, Path], pem: tuple[str, str]) -> None:
        paths = (str(files[0]), str(files[1]))
        assert resolve("https://host", files).cert == paths
        assert resolve("https://host", list(paths)).cert == paths
        assert resolve("https://host", pem).cert == pem
        assert resolve("https://host", (pem[0].encode(), files[1])).cert == (pem[0], paths[1])

    def test_both_in_one(self, files: tuple[Path, Path], pem: tuple[str, str]) -> None:
        both = "".join(pem)
        files[0].write_text(both)
        assert resolve("https://host", files[0]).cert == (str(files[0]),) * 2
        assert resolve("https://host", both.encode()).cert == (both, both)

    def test_paths_are_made_absolute(self, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(files[0].parent)
        monkeypatch.setenv("HOME", str(files[0].parent))
        assert resolve("https://host", ("client.crt", "~/client.key")).cert == (str(files[0]), str(files[1]))

    def test_repr_has_no_secrets(self, pem: tuple[str, str]) -> None:
        shown = repr(resolve("https://host", pem, pem[0], HTTPS_PROXY="http://me:s3cret@proxy"))
        assert "BEGIN" not in shown
        assert "s3cret" not in shown

    @pytest.mark.parametrize(
        "cert", [5, True, ("a",), ("a", "b", "c"), (), (1, 2), {"crt": "key"}, (None, None)], ids=repr
    )
    def test_wrong_types(self, cert: Any) -> None:
        with pytest.raises(TypeError):
            resolve("https://host", cert)

    def test_missing(self, files: tuple[Path, Path]) -> None:
        assert refusal("https://host", ("/nowhere.crt", files[1])).startswith(
            "the client certificate: cannot read '/nowhere.crt': No such file"
        )
        assert "the client key: cannot read '/nowhere.key'" in refusal("https://host", (files[0], "/nowhere.key"))

    def test_folder(self, files: tuple[Path, Path]) -> None:
        assert "Is a directory" in refusal("https://host", (files[0].parent, files[1]))

    def test_swapped(self, files: tuple[Path, Path]) -> None:
        assert "are certificate and key swapped?" in refusal("https://host", (files[1], files[0]))

    def test_certificate_alone(self, files: tuple[Path, Path]) -> None:
        assert f"there is no private key in '{files[0]}'" in refusal("https://host", files[0])

    def test_something_else(self, files: tuple[Path, Path]) -> None:
        for content, why in {
            b"": "it is empty",
            b"\x30\x82": "not in PEM form",
            b"-----BEGIN X-----": "something else",
        }.items():
            files[0].write_bytes(content)
            assert why in refusal("https://host", files)

    def test_damaged_certificate(self, files: tuple[Path, Path]) -> None:
        files[0].write_text("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n")
        assert "there is no certificate in" in refusal("https://host", files)

    def test_key_without_its_first_line_is_not_repeated(self, pem: tuple[str, str]) -> None:
        """Such text looks like a path, and error messages end up in logs."""
        body = pem[1].split("-----")[2]
        for text in (body, body.replace("\n", "")):
            assert body.strip()[:20] not in refusal("https://host", (pem[0], text))

    def test_bytes_are_never_paths(self, files: tuple[Path, Path]) -> None:
        assert "bytes that are not PEM text" in refusal("https://host", (os.fsencode(files[0]), files[1]))

    def test_empty(self) -> None:
        assert "the client certificate is empty" in refusal("https://host", ("", ""))
        assert "the pinned server certificate is empty" in refusal("https://host", verify="")

    def test_home_of_nobody(self) -> None:
        assert "home" in refusal("https://host", verify="~no-such-user-here/server.crt")

    def test_verify(self, files: tuple[Path, Path], pem: tuple[str, str]) -> None:
        assert resolve("https://host").verify is True
        assert resolve("https://host", verify=False).verify is False
        assert resolve("https://host", verify=files[0]).verify == str(files[0])
        assert resolve("https://host", verify=pem[0].encode()).verify == pem[0]

    @pytest.mark.parametrize("verify", [None, 1, 0, ["server.crt"]], ids=repr)
    def test_verify_of_a_wrong_type(self, verify: Any) -> None:
        with pytest.raises(TypeError, match="verify must be"):
            resolve("https://host", verify=verify)

    def test_verify_without_a_certificate(self, files: tuple[Path, Path]) -> None:
        assert "cannot read '/nowhere.crt'" in refusal("https://host", verify="/nowhere.crt")
        assert f"there is no certificate in '{files[1]}'" in refusal("https://host", verify=files[1])

    def test_unix_sockets_have_no_tls(self, files: tuple[Path, Path]) -> None:
        """A program that lost its server's address must not go to work on the local daemon."""
        assert "cert has no meaning for unix:///run/i.socket" in refusal("/run/i.socket", cert=files)
        assert "verify has no meaning for unix:///nowhere/lib/unix.socket" in refusal(verify=False)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_unreadable(self, files: tuple[Path, Path], tmp_path: Path) -> None:
        """In a child process that is somebody else: root may read everything."""
        files[1].chmod(0o600)
        files[1].parent.chmod(0o755)
        parents = [parent for parent in tmp_path.parents if parent.stat().st_mode & 0o005 != 0o005]
        modes = [(parent, parent.stat().st_mode & 0o7777) for parent in parents]
        answer, end = os.pipe()
        try:
            for parent, _ in modes:
                parent.chmod(0o755)
            child = os.fork()
            if child == 0:
                os.setresuid(65534, 65534, 65534)
                try:
                    resolve("https://host", files)
                except IncusConfigurationError as exc:
                    os.write(end, exc.message.encode())
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            assert os.read(answer, 1000).decode() == f"the client key: cannot read '{files[1]}': Permission denied"
        finally:
            for parent, mode in modes:
                parent.chmod(mode)
            os.close(answer)
            os.close(end)


class TestProxy:
    @pytest.mark.parametrize(
        ("host", "exceptions", "direct"),
        [
            ("host.example", "", False),
            ("host.example", "*", True),
            ("host.example", "other, * ", True),
            ("host.example", "host.example", True),
            ("host.example", "HOST.Example", True),
            ("HOST.example", "host.example", True),
            ("host.example", "example", True),
            ("host.example", ".example", True),
            ("host.example", "*.example", True),
            ("example", ".example", True),
            ("hostexample", "example", False),
            ("host.example", "st.example", False),
            ("host.example", "host.example:8443", True),
            ("host.example", "host.example:443", False),
            ("host.example", ".example:8443", True),
            ("host.example", " , ,host.example ,", True),
            ("host.example", ".", False),
            ("host.example", "host.example.org", False),
            ("192.0.2.7", "192.0.2.7", True),
            ("192.0.2.7", "192.0.2.7:8443", True),
            ("192.0.2.7", "192.0.2.7:1", False),
            ("192.0.2.7", "192.0.2.0/24", True),
            ("192.0.2.7", "192.0.2.9/24", True),
            ("192.0.2.7", "198.51.100.0/24", False),
            ("192.0.2.7", "2.7", False),
            ("192.0.2.7", "2001:db8::/32", False),
            ("2001:db8::7", "2001:db8::/32", True),
            ("2001:db8::7", "2001:db8:0::7", True),
            ("2001:db8::7", "[2001:db8::7]", True),
            ("2001:db8::7", "[2001:db8::7]:8443", True),
            ("2001:db8::7", "[2001:db8::7]:1", False),
            ("localhost", "", True),
            ("127.0.0.1", "", True),
            ("127.8.8.8", "", True),
            ("::1", "", True),
            ("localhost.example", "", False),
        ],
    )
    def test_exceptions(self, host: str, exceptions: str, direct: bool) -> None:
        environ = {"https_proxy": "http://proxy:3128", "no_proxy": exceptions}
        assert proxy_for(host, 8443, environ) == (None if direct else "http://proxy:3128")

    def test_variables(self) -> None:
        assert resolve("https://host").proxy is None
        assert resolve("https://host", https_proxy="http://lower").proxy == "http://lower"
        assert resolve("https://host", HTTPS_PROXY="http://upper", https_proxy="http://lower").proxy == "http://upper"
        assert resolve("https://host", HTTPS_PROXY="", https_proxy="http://lower").proxy == "http://lower"
        assert resolve("https://host", http_proxy="http://plain", all_proxy="http://all").proxy is None
        assert resolve("https://host", https_proxy="http://lower", NO_PROXY="host").proxy is None
        assert resolve("/run/i.socket", https_proxy="nonsense://").proxy is None

    @pytest.mark.parametrize(
        ("url", "shown", "credentials"),
        [
            ("http://proxy", "http://proxy:80", None),
            ("proxy.example:3128", "http://proxy.example:3128", None),
            ("https://proxy", "https://proxy:443", None),
            ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080", None),
            ("http://me:p%40ss%3a@proxy", "http://proxy:80", "me:p@ss:"),
            ("http://me@proxy", "http://proxy:80", "me:"),
        ],
    )
    def test_url(self, url: str, shown: str, credentials: str | None) -> None:
        proxy = parse_proxy(url)
        assert (proxy.url, proxy.credentials) == (shown, credentials)
        assert proxy.tls is shown.startswith("https")
        assert credentials is None or credentials not in repr(proxy)

    @pytest.mark.parametrize(
        "url",
        [
            "socks5://me:s3cret@proxy",
            "http://",
            "http://me:s3cret@proxy:port",
            "http://pro xy",
            "http://[x",
            "://s3cret",
        ],
    )
    def test_unusable_url(self, url: str) -> None:
        message = refusal("https://host", HTTPS_PROXY=url)
        assert "the proxy in HTTPS_PROXY cannot be used" in message
        assert "s3cret" not in message


def test_resolving_is_quick() -> None:
    """Every client does it, so it must not wait for anything: no name is looked up, no connection opened."""
    began = time.perf_counter()
    resolve("https://nowhere.invalid", HTTPS_PROXY="http://nowhere.invalid")
    assert time.perf_counter() - began < 0.5
