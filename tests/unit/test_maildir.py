import errno
import mailbox
import os
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from paperdigest.errors import MailError
from paperdigest.mail.maildir import MaildirLane, MaildirMailer
from paperdigest.protocols import OutgoingMessage

CONTENT = b"From: digest@example.org\r\nTo: you@example.net\r\nSubject: Papers\r\n\r\nTwo papers.\r\n"


def _mail(message_id: str = "<1@example.org>", content: bytes = CONTENT) -> OutgoingMessage:
    return OutgoingMessage(
        sender="digest@example.org", recipient="you@example.net", message_id=message_id, content=content
    )


def _lane(path: Path) -> MaildirLane:
    return MaildirMailer({"path": str(path)}).lane()


def _yes() -> bool:
    return True


def _files(path: Path) -> list[Path]:
    return sorted(file for folder in ("tmp", "new", "cur") for file in (path / folder).iterdir())


def test_a_message_is_filed_as_new_and_any_mail_reader_finds_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "Maildir"
    with _lane(path) as lane:
        answer = lane.send(_mail(), _yes)
    (file,) = _files(path)
    assert file.parent == path / "new"
    assert file.read_bytes() == CONTENT
    assert answer == f"filed as {file}"
    assert [mail["Subject"] for mail in mailbox.Maildir(path, create=False)] == ["Papers"]


def test_nobody_else_may_read_the_mail(tmp_path: Path) -> None:
    path = tmp_path / "Maildir"
    _lane(path).send(_mail(), _yes)
    modes = [stat.S_IMODE(place.stat().st_mode) for place in (path, path / "tmp", path / "new", path / "cur")]
    assert modes == [0o700] * 4
    assert stat.S_IMODE(_files(path)[0].stat().st_mode) == 0o600


@pytest.mark.parametrize("place", ["new/{}", "cur/{}:2,", "cur/{}:2,FS", "cur/{},U=7:2,S", "new/{}:2,S"])
def test_the_same_message_lands_once_wherever_the_reader_put_it(tmp_path: Path, place: str) -> None:
    lane = _lane(tmp_path)
    lane.send(_mail(), _yes)
    (file,) = _files(tmp_path)
    moved = file.rename(tmp_path / place.format(file.name))
    assert lane.send(_mail(), _yes) == f"already there: {moved}"
    assert _files(tmp_path) == [moved]
    assert moved.read_bytes() == CONTENT


def test_different_messages_land_apart_and_names_hold_nothing_of_the_message_id(tmp_path: Path) -> None:
    lane = _lane(tmp_path)
    for message_id in ("<1@example.org>", "<2@example.org>", "<../../etc/passwd@x>", "<\0\n@x>", "<\udcff@x>"):
        lane.send(_mail(message_id), _yes)
    files = _files(tmp_path)
    assert len(files) == 5
    assert all(file.parent == tmp_path / "new" and file.name.replace(".", "").isalnum() for file in files)


def test_the_message_is_on_the_disk_before_its_name_and_the_name_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, int]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        seen.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), len(list((tmp_path / "new").iterdir()))))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    _lane(tmp_path).send(_mail(), _yes)
    assert seen == [(False, 0), (True, 1)]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EACCES, "not permitted"),
        (errno.EROFS, "not permitted"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_message_that_cannot_be_written_leaves_nothing_and_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def failing(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    lane = _lane(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(MailError, match=words) as caught:
            lane.send(_mail(), _yes)
    assert (caught.value.permanent, caught.value.after_dot, caught.value.systemic) == (False, False, True)
    assert str(tmp_path) in str(caught.value)
    assert _files(tmp_path) == []
    assert (lane.send(_mail(), _yes) or "").startswith("filed")


@pytest.mark.parametrize("in_the_way", ["Maildir", "Maildir/new"])
def test_a_file_where_the_maildir_should_be_is_told_as_that(tmp_path: Path, in_the_way: str) -> None:
    (tmp_path / in_the_way).parent.mkdir(exist_ok=True)
    (tmp_path / in_the_way).write_text("x")
    with pytest.raises(MailError, match="a file stands where"):
        _lane(tmp_path / "Maildir").send(_mail(), _yes)


@pytest.mark.parametrize("settings", [{}, {"path": ""}, {"path": "a\0b"}, {"path": 3}, {"path": "x", "mode": 1}])
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MaildirMailer(settings)


def test_the_message_becomes_visible_only_after_leave_was_asked(tmp_path: Path) -> None:
    seen: list[list[tuple[str, bytes]]] = []

    def asked() -> bool:
        seen.append([(file.parent.name, file.read_bytes()) for file in _files(tmp_path)])
        return True

    lane = _lane(tmp_path)
    lane.send(_mail(), asked)
    assert seen == [[("tmp", CONTENT)]]
    lane.send(_mail(), asked)
    assert seen[1:] == [[("new", CONTENT)]]


def test_a_message_without_leave_leaves_nothing(tmp_path: Path) -> None:
    lane = _lane(tmp_path)
    assert lane.send(_mail(), lambda: False) is None
    assert _files(tmp_path) == []
    lane.send(_mail(), _yes)
    assert lane.send(_mail(), lambda: False) is None
    assert len(_files(tmp_path)) == 1


def test_a_failure_of_the_ledger_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _lane(tmp_path).send(_mail(), broken)
    assert _files(tmp_path) == []


def test_the_same_message_is_found_by_a_lane_of_another_day(tmp_path: Path) -> None:
    _lane(tmp_path).send(_mail(), _yes)
    (file,) = _files(tmp_path)
    moved = file.rename(tmp_path / "cur" / f"{file.name}:2,S")
    assert _lane(tmp_path).send(_mail(), _yes) == f"already there: {moved}"
