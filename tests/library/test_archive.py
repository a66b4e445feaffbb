"""An archive is the same to the byte wherever it is made; whatever else calls itself one is refused."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import pytest
from conftest import Aix
from full import full
from hypothesis import given, settings
from hypothesis import strategies as st

from aix.errors import TemplateError, UsageError
from aix.library.collections import tar
from aix.library.collections.archive import MANIFEST, Bundle, manifest, pack, unpack

FILES = {"_style.md": b"Be short.\n", "greet.md": b'{% include "_style.md" %}Hello\n', "web/page.md": b"A page\n"}
SOUND = Bundle("team", FILES, "What we share")
DATA = pack(SOUND)
PLAIN = gzip.decompress(DATA)
SAID = json.loads(dict(tar.unpacked(DATA))[MANIFEST])

Spoil = Callable[[], bytes]


def packed(files: Mapping[str, bytes], **changes: object) -> bytes:
    """An archive whose manifest is right about each file, but for `changes`."""
    listed = {name: {"size": len(data), "sha256": sha256(data).hexdigest()} for name, data in files.items()}
    prompts = {name: digest for name, digest in SAID["prompts"].items() if f"{name}.md" in files}
    said = {**SAID, "files": listed, "prompts": prompts, **changes}
    return tar.packed({MANIFEST: json.dumps(said, indent=1).encode() + b"\n", **files})


def with_entry(kind: bytes, name: str = "link.md", target: str = "", size: int = 0) -> bytes:
    """The sound archive with one more entry, as another program would put it there."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size
    return gzip.compress(PLAIN[:-1024] + info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


def of_tarfile(kind: int, **facts: object) -> bytes:
    """The same files, packed by a library for tar."""
    out = io.BytesIO()
    contents = {MANIFEST: manifest(SOUND, SAID["prompts"]), **FILES}
    with tarfile.open(fileobj=out, mode="w:gz", format=kind) as archive:
        for name in (MANIFEST, *FILES):
            info = tarfile.TarInfo(name)
            info.size = len(contents[name])
            for fact, value in facts.items():
                setattr(info, fact, value)
            archive.addfile(info, io.BytesIO(contents[name]))
    return out.getvalue()


def changed(place: int, new: bytes) -> bytes:
    """The sound archive with other bytes at a place of its tar."""
    return gzip.compress(PLAIN[:place] + new + PLAIN[place + len(new) :])


def raw(files: Mapping[str, bytes]) -> bytes:
    return tar.packed({MANIFEST: manifest(SOUND, SAID["prompts"]), **files})


def raw_said(**changes: object) -> bytes:
    return tar.packed({MANIFEST: json.dumps({**SAID, **changes}).encode(), **FILES})


def bomb() -> bytes:
    return gzip.compress(bytes(tar.MAX_BYTES + 1024), 1)


def many() -> bytes:
    more = b"".join(tar.header(f"z{number:06}.md", 0) for number in range(tar.MAX_ENTRIES))
    return gzip.compress(PLAIN[: -len(tar.END)] + more + tar.END, 1)


HOSTILE: dict[str, tuple[Spoil, str]] = {
    "nothing": (lambda: b"", "cut off"),
    "no gzip": (lambda: b"hello, this is no archive", "no gzip"),
    "a zip": (lambda: b"PK\x03\x04" + bytes(100), "no gzip"),
    "a tar without gzip": (lambda: PLAIN, "no gzip"),
    "cut in the middle": (lambda: DATA[: len(DATA) // 2], "cut off"),
    "without its last byte": (lambda: DATA[:-1], "cut off"),
    "a wrong checksum": (lambda: DATA[:-8] + bytes(4) + DATA[-4:], "damaged"),
    "a second stream": (lambda: DATA + DATA, "follows after its end"),
    "garbage behind": (lambda: DATA + b"x", "follows after its end"),
    "garbage in the tar": (lambda: gzip.compress(PLAIN + b"x" * 512), "follows after the end of its tar"),
    "more zeros": (lambda: gzip.compress(PLAIN + bytes(8192)), "follows after the end of its tar"),
    "no end": (lambda: gzip.compress(PLAIN[:-1024]), "no end"),
    "half an end": (lambda: gzip.compress(PLAIN[:-512]), "the end is missing"),
    "a bomb": (bomb, "more than 64 MiB"),
    "a bomb in a bomb": (lambda: gzip.compress(bomb()), "not in it as aix puts"),
    "too many files": (many, "more than 10000 files"),
    "an empty tar": (lambda: gzip.compress(bytes(1024)), "empty"),
    "a size that is a lie": (lambda: changed(124, b"77777777777"), "not in it as aix puts"),
    "a negative size": (lambda: changed(124, b"-0000000001"), "not in it as aix puts"),
    "a size in base 256": (lambda: changed(124, b"\x80" + bytes(11)), "not in it as aix puts"),
    "another checksum": (lambda: changed(148, b"0000000"), "not in it as aix puts"),
    "another mode": (lambda: of_tarfile(tarfile.USTAR_FORMAT, mode=0o4755), "not in it as aix puts"),
    "an owner": (lambda: of_tarfile(tarfile.USTAR_FORMAT, uname="root", mtime=tar.SINCE), "not in it as aix puts"),
    "the time of day": (lambda: of_tarfile(tarfile.USTAR_FORMAT, mtime=1_700_000_000), "not in it as aix puts"),
    "an extended header": (lambda: of_tarfile(tarfile.PAX_FORMAT, pax_headers={"path": "../x"}), "an extended header"),
    "a global header": (lambda: with_entry(b"g"), "a global header"),
    "a long name of GNU": (lambda: with_entry(b"L"), "a long name"),
    "a long link of GNU": (lambda: with_entry(b"K"), "a long link"),
    "a sparse file": (lambda: with_entry(b"S"), "a sparse file"),
    "a symbolic link": (lambda: with_entry(b"2", target="/etc/passwd"), "a symbolic link"),
    "a hard link": (lambda: with_entry(b"1", target="greet.md"), "a hard link"),
    "a character device": (lambda: with_entry(b"3"), "a device"),
    "a block device": (lambda: with_entry(b"4"), "a device"),
    "a pipe": (lambda: with_entry(b"6"), "a pipe"),
    "a folder": (lambda: with_entry(b"5", "web/"), "a folder"),
    "an unknown kind": (lambda: with_entry(b"Z"), "not in it as aix puts"),
    "an old kind of file": (lambda: with_entry(b"\0"), "not in it as aix puts"),
    "up and out": (lambda: raw({"../x.md": b"x"}), "no name"),
    "up inside": (lambda: raw({"a/../../x.md": b"x"}), "no name"),
    "absolute": (lambda: raw({"/etc/x.md": b"x"}), "no name"),
    "a dot": (lambda: raw({"./x.md": b"x"}), "no name"),
    "two slashes": (lambda: raw({"a//x.md": b"x"}), "no name"),
    "a backslash": (lambda: raw({"a\\x.md": b"x"}), "no name"),
    "a drive": (lambda: raw({"C:x.md": b"x"}), "no name"),
    "a control character": (lambda: raw({"a\x1b[2J.md": b"x"}), "no name"),
    "a hidden file": (lambda: raw({".git/config.md": b"x"}), "no name"),
    "letters of another script": (lambda: raw({"é.md": b"x"}), "not in it as aix puts"),
    "a config": (lambda: raw({"config.json": b"{}"}), "no name"),
    "a script": (lambda: raw({"run.sh": b"x"}), "no name"),
    "a file twice": (lambda: gzip.compress(PLAIN[:-1024] + tar.header("web/page.md", 0) + tar.END), "twice"),
    "a manifest twice": (lambda: gzip.compress(PLAIN[:-1024] + tar.header(MANIFEST, 0) + tar.END), "twice"),
    "not sorted": (lambda: packed(dict(reversed(FILES.items()))), "sorted"),
    "no manifest": (lambda: tar.packed(FILES), "not manifest.json"),
    "the manifest last": (lambda: tar.packed({**FILES, MANIFEST: b"{}"}), "not manifest.json"),
    "a manifest that is no JSON": (lambda: tar.packed({MANIFEST: b"{", **FILES}), "not JSON"),
    "a manifest that is deep": (lambda: tar.packed({MANIFEST: b"[" * 100_000, **FILES}), "not JSON"),
    "a manifest that is a list": (lambda: tar.packed({MANIFEST: b"[]", **FILES}), "not that of a collection"),
    "another format": (lambda: packed(FILES, format="zip"), "not that of a collection"),
    "a newer format": (lambda: packed(FILES, version=2), "does not know"),
    "a name that is a number": (lambda: packed(FILES, name=1), "as a line each"),
    "no name at all": (lambda: packed(FILES, name=""), "as a line each"),
    "a description that moves the cursor": (lambda: packed(FILES, description="\x1b[2J"), "as a line each"),
    "files that are a list": (lambda: raw_said(files=[]), "does not list"),
    "more in the manifest": (lambda: packed(FILES, more=1), "not as aix writes one"),
    "another order in the manifest": (
        lambda: tar.packed({MANIFEST: json.dumps(SAID, sort_keys=True, indent=1).encode() + b"\n", **FILES}),
        "not as aix writes one",
    ),
    "an extra file": (lambda: raw({**FILES, "z.md": b"x"}), "not in its manifest"),
    "a missing file": (lambda: raw({"greet.md": FILES["greet.md"]}), "not in the archive"),
    "a changed file": (lambda: raw({**FILES, "greet.md": b"sh\n"}), "its digest is another"),
    "a wrong prompt digest": (
        lambda: packed(FILES, prompts={**SAID["prompts"], "greet": "sha256:0"}),
        "not the prompt",
    ),
    "a prompt too many": (lambda: packed(FILES, prompts={**SAID["prompts"], "_style": "x"}), "not the prompt"),
    "an include that is not there": (lambda: packed({"greet.md": FILES["greet.md"]}), "not all in it are prompts"),
    "a prompt that is none": (lambda: packed({"a.md": b"---\nparams: 1\n---\n"}), "not all in it are prompts"),
    "no text": (lambda: packed({"a.md": b"\xff\xfe"}), "not all in it are prompts"),
    "capitals alone": (lambda: packed({"A.md": b"a", "a.md": b"b"}), "one file on many systems"),
    "a file and a folder": (lambda: packed({"a.md": b"a", "a.md/b.md": b"b"}), "a file and a folder"),
    "something behind a file": (lambda: changed(PLAIN.index(b"A page\n") + 7, b"x"), "hidden behind"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_in_one_sentence(name: str) -> None:
    spoil, why = HOSTILE[name]
    with pytest.raises(TemplateError) as refused:
        unpack(spoil(), "it.tar.gz")
    assert refused.value.message.startswith("it.tar.gz is refused: ")
    assert why in refused.value.message
    assert refused.value.message.isprintable()


def test_there_are_many_of_them() -> None:
    print(f"{len(HOSTILE)} hostile archives")
    assert len(HOSTILE) >= 40


SOME = ("up and out", "a symbolic link", "a bomb", "a changed file", "garbage behind", "a name that is a number")


@pytest.mark.parametrize("name", SOME)
def test_nothing_is_written_for_a_hostile_archive(name: str, aix: Aix, home: Path) -> None:
    (home / "it.tar.gz").write_bytes(HOSTILE[name][0]())
    done = aix("collection", "import", "it.tar.gz")
    assert (done.status, done.stdout) == (6, "")
    assert done.stderr.count("aix: error:") == 1
    assert sorted(path.name for path in home.rglob("*") if path.is_file()) == ["it.tar.gz"]


def test_a_sound_archive_comes_back_as_it_was() -> None:
    found = unpack(DATA, "it")
    assert (found.name, found.files, found.description) == ("team", FILES, "What we share")
    assert found.prompts == SAID["prompts"]
    assert pack(found) == DATA


def test_how_it_is_compressed_does_not_matter() -> None:
    assert unpack(gzip.compress(PLAIN, 9), "it") == unpack(DATA, "it")


def test_other_programs_can_read_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(DATA)) as archive:
        assert archive.getnames() == [MANIFEST, *FILES]
        assert {(member.mode, member.uid, member.mtime) for member in archive} == {(0o644, 0, tar.SINCE)}


names = st.from_regex(r"[A-Za-z_][a-z0-9._-]{0,8}(/[a-z0-9][a-z0-9_-]{0,90}){0,2}", fullmatch=True)


@settings(max_examples=full(30, 1000))
@given(st.dictionaries(names.map(lambda name: f"{name}.md"), st.text().map(str.encode), max_size=6))
def test_any_files_come_back_as_they_were(files: dict[str, bytes]) -> None:
    assert dict(tar.unpacked(tar.packed(files))) == files


@settings(max_examples=full(60, 5000))
@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_no_byte_of_it_can_be_another(place: int, change: int) -> None:
    spoiled = DATA[:place] + bytes([DATA[place] ^ change]) + DATA[place + 1 :]
    try:
        found = unpack(spoiled, "it")
    except TemplateError:
        return
    assert found == unpack(DATA, "it")  # a byte of the header of gzip says nothing of what is in it


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"a.md": b"{{"}, "a.md"),
        ({"a.md": b"a", "A.md": b"b"}, "one file on many systems"),
        ({"config.json": b"{}"}, "no name"),
        ({"a" * 120 + ".md": b"x"}, "too long"),
    ],
)
def test_what_cannot_be_in_an_archive_is_not_packed(files: dict[str, bytes], why: str) -> None:
    with pytest.raises((UsageError, TemplateError), match=why):
        pack(Bundle("team", files))


def test_a_reader_without_the_rule_of_one_header_would_take_them() -> None:
    """What the rule refuses is no empty set: the library for tar takes each of these."""
    for name in ("a symbolic link", "a hard link", "a sparse file", "another mode", "up and out", "an extended header"):
        with tarfile.open(fileobj=io.BytesIO(HOSTILE[name][0]())) as archive:
            assert archive.getmembers(), name
