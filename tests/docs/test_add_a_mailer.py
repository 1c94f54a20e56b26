"""The plug-in of docs/how-to/add-a-mailer.md, taken from the page and run as its reader would run it."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from paperdigest.errors import MailError
from paperdigest.protocols import Lane, Mailer, OutgoingMessage
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-a-mailer.md"
MESSAGE = OutgoingMessage(
    sender="digest@example.org",
    recipient="you@example.net",
    message_id="<1@example.org>",
    content=b"Subject: x\r\n\r\ny\r\n",
)
ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Length: 14\r\n\r\n{"id": "m-17"}'


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


class Provider:
    """Takes one request at a time; ``answer`` is sent when it is whole, nothing when that is empty."""

    def __init__(self) -> None:
        self.answer = ACCEPTED
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                request = b""
                while not self._whole(request) and (chunk := connection.recv(65536)):
                    request += chunk
                if self._whole(request):
                    self.requests.append(request)
                    connection.sendall(self.answer)

    def _whole(self, request: bytes) -> bool:
        head, end, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^content-length: (\d+)", head)
        return bool(end) and length is not None and len(body) >= int(length[1])


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def mailer(tmp_path: Path, provider: Provider) -> Mailer:
    file = tmp_path / "example_mail.py"
    file.write_text(blocks("python")[0], encoding="utf-8")
    (tmp_path / "key").write_text("s3cret\n", encoding="utf-8")
    spec = spec_from_file_location("example_mail", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Mailer = module.ExampleMailer({"url": provider.url, "key_file": str(tmp_path / "key"), "timeout_s": 5})
    return made


@pytest.fixture
def lane(mailer: Mailer) -> Iterator[Lane]:
    with mailer.lane() as made:
        yield made


def yes() -> bool:
    return True


def refusal(lane: Lane) -> MailError:
    with pytest.raises(MailError) as caught:
        lane.send(MESSAGE, yes)
    return caught.value


def test_a_message_is_posted_whole(lane: Lane, provider: Provider) -> None:
    assert lane.send(MESSAGE, yes) == '202 {"id": "m-17"}'
    head, _, body = provider.requests[0].partition(b"\r\n\r\n")
    assert b"Authorization: Bearer s3cret" in head
    assert b"Idempotency-Key: <1@example.org>" in head
    posted = json.loads(body)
    assert base64.b64decode(posted.pop("raw")) == MESSAGE.content
    assert posted == {"from": MESSAGE.sender, "to": MESSAGE.recipient}


def test_without_leave_nothing_arrives(lane: Lane, provider: Provider) -> None:
    seen: list[int] = []

    def no() -> bool:
        seen.append(len(provider.requests))
        return False

    assert lane.send(MESSAGE, no) is None
    assert lane.send(MESSAGE, yes) is not None
    assert (seen, len(provider.requests)) == ([0], 1)


@pytest.mark.parametrize(
    ("answer", "permanent", "after_dot", "systemic", "wait"),
    [
        (b"401 No", False, False, True, None),
        (b"422 No", True, False, False, None),
        (b"429 Slow\r\nRetry-After: 60", False, False, False, timedelta(seconds=60)),
        (b"504 Gateway", False, True, False, None),
    ],
)
def test_refusals_say_whose_trouble_it_is(
    lane: Lane, provider: Provider, answer: bytes, permanent: bool, after_dot: bool, systemic: bool,
    wait: timedelta | None,
) -> None:  # fmt: skip
    provider.answer = b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n"
    error = refusal(lane)
    assert (error.permanent, error.after_dot, error.systemic, error.retry_after) == (
        permanent, after_dot, systemic, wait
    )  # fmt: skip


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n"])
def test_no_answer_leaves_doubt(lane: Lane, provider: Provider, answer: bytes) -> None:
    provider.answer = answer
    error = refusal(lane)
    assert (error.permanent, error.after_dot, error.systemic) == (False, True, False)


def test_no_connection_leaves_none(mailer: Mailer, provider: Provider) -> None:
    provider.close()
    provider.close = lambda: None  # type: ignore[method-assign]  # it is done
    with mailer.lane() as lane:
        error = refusal(lane)
    assert (error.permanent, error.after_dot, error.systemic) == (False, False, True)


def test_the_registered_name_is_a_mailer_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "example_mail.py").write_text(blocks("python")[0], encoding="utf-8")
    project = tomllib.loads(blocks("toml")[0])["project"]
    installed = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\n", encoding="utf-8")
    lines = [f"[{group}]\n{name} = {value}\n" for group, points in project["entry-points"].items()
             for name, value in points.items()]  # fmt: skip
    (installed / "entry_points.txt").write_text("".join(lines), encoding="utf-8")
    (tmp_path / "config.toml").write_text(blocks("toml")[1], encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {
        name: value for name, value in environment.items() if not name.startswith(("XDG_", "COV_", "PYTEST_"))
    }
    command = [sys.executable, "-m", "paperdigest", "--config", str(tmp_path / "config.toml"), "config", "check"]
    result = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    wrong = blocks("toml")[1].replace("key_file", "keyfile")
    (tmp_path / "config.toml").write_text(wrong, encoding="utf-8")
    result = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 2
    assert "mail.example.key_file" in result.stdout + result.stderr
