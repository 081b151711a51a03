"""Bytes and lines of files, plain or compressed, and of standard input, in bounded memory."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import os
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from hebbsim.errors import BadInputError

#: Extensions of compressed files; the compression itself is detected from the content.
PACKED = (".gz", ".bz2", ".xz", ".zst")
_MAGIC = {
    b"\x1f\x8b": "gzip",
    **{b"BZh%d" % level: "bzip2" for level in range(1, 10)},
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    # Frames to be skipped, with which pzstd begins.
    **{bytes([n]) + b"*M\x18": "zstandard" for n in range(0x50, 0x60)},
}
#: Bytes of a line of a table or a treebank; lines of plain text may be longer.
LONGEST_LINE = 1 << 20
_CHUNK = 1 << 16


def is_stdin(path: str | Path) -> bool:
    """Whether a path is ``-``, which stands for standard input, or a pipe: either is read once."""
    try:
        return str(path) == "-" or stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def without_packing(name: str) -> str:
    """A file name without the extension of a compressed file, in upper or lower case."""
    for ending in PACKED:
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return name


def is_packed(start: bytes) -> str:
    """The compression of a file that starts with these bytes; "" if none."""
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), "")


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file or standard input, decompressed if its first bytes indicate it.

    Lines that end in carriage returns alone, as some spreadsheets write them, end in newlines.

    Raises BadInputError, also inside the block, if it cannot be read or is damaged.
    """
    kind = ""
    try:
        if is_stdin(path):
            kind, content = _standard_input(path)
            yield content
            return
        with open(path, "rb") as file:
            before = _READ.get(str(path))
            _READ[str(path)] = file
            try:
                kind = is_packed(file.peek(6))
                unpacked: Any = _unpacked(file, kind)
                if _returns(unpacked.peek(_CHUNK)):
                    unpacked = io.BufferedReader(_Restartable(unpacked), _CHUNK)
                yield unpacked
            finally:
                _READ[str(path)] = before
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, _DamagedError):
        raise BadInputError(f"{path}: damaged {kind} file; get a fresh copy") from None
    except OSError as error:
        if kind == "bzip2" and error.strerror is None:  # raised by bz2 for damaged data
            raise BadInputError(f"{path}: damaged {kind} file; get a fresh copy") from None
        raise BadInputError(f"{path}: cannot be read ({error.strerror or error})") from None


#: Files that are being read, by path.
_READ: dict[str, IO[bytes] | None] = {}


def bytes_read(path: str | Path) -> int:
    """Number of bytes read so far of a file as stored on disk; 0 if it is not being read."""
    file = _READ.get(str(path))
    return 0 if file is None or file.closed else file.tell()


def head(path: str | Path) -> bytes:
    """The first decompressed bytes: 64 KB of a file, 4 KB of standard input.

    Standard input is not consumed: `opened` yields these bytes again. Errors are those of `opened`.
    """
    with opened(path) as file:
        raw = getattr(file, "raw", None)
        return raw.start(4096) if isinstance(raw, _Restartable) else file.read(_CHUNK)


def _returns(start: bytes) -> bool:
    """Whether lines end in carriage returns alone; the last byte may be half of a line end."""
    return b"\r" in start[:-1] and b"\n" not in start


class _Restartable(io.RawIOBase):
    """A stream whose first bytes can be read in advance, however small its pieces are.

    Lines end in newlines.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._ready = b""
        self._returns: bool | None = None

    def start(self, size: int) -> bytes:
        while len(self._ready) < size and (more := self._read(size - len(self._ready))):
            self._ready += more
        return self._ready

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        if self._returns is None:
            self._returns = _returns(data)
        return data.replace(b"\r", b"\n") if self._returns else data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._ready[: len(buffer)] or self._read(len(buffer))
        self._ready = self._ready[len(data) :]
        buffer[: len(data)] = data
        return len(data)


#: Standard input and pipes once they have been opened: source, compression and content.
_ONCE: dict[str, tuple[Any, str, IO[bytes]]] = {}


def _standard_input(path: str | Path) -> tuple[str, IO[bytes]]:
    """The compression of standard input or of a pipe, and the one stream of its content."""
    before = _ONCE.get(str(path))
    if str(path) != "-":
        source: Any = before[0] if before else open(path, "rb")
    elif sys.stdin is None:
        raise BadInputError("-: standard input is closed; give a file, or pipe text into it")
    else:
        source = sys.stdin.buffer
    if before is None or before[0] is not source:
        kind = is_packed(source.peek(6))
        content = io.BufferedReader(_Restartable(_unpacked(source, kind)), _CHUNK)
        before = _ONCE[str(path)] = source, kind, content
    return before[1:]


class _DamagedError(Exception):
    """Compressed data that is incomplete or invalid."""


def _unpacked(file: IO[bytes], kind: str) -> IO[bytes]:
    if kind == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if kind == "bzip2":
        return cast(IO[bytes], bz2.BZ2File(file))
    if kind == "xz":
        return cast(IO[bytes], lzma.LZMAFile(file))
    if kind == "zstandard":
        return cast(IO[bytes], io.BufferedReader(_Zstandard(file), _CHUNK))
    return file


class _Zstandard(io.RawIOBase):
    """Consecutive zstandard frames; the package's own reader ignores a truncated end."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            import zstandard
        except ImportError:
            raise BadInputError(
                f"{getattr(file, 'name', 'input')}: reading zstandard needs a package; "
                "run: pip install 'hebbsim[data]'"
            ) from None
        self._file = file
        self._package: Any = zstandard
        self._frame: Any = None
        self._packed = b""
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            # Small reads, because one byte may expand to very many.
            self._packed = self._packed or self._file.read(4096)
            if not self._packed:
                if self._frame is not None:
                    raise _DamagedError
                return 0
            if self._frame is None:
                self._frame = self._package.ZstdDecompressor().decompressobj()
            try:
                self._ready = self._frame.decompress(self._packed)
            except self._package.ZstdError:
                raise _DamagedError from None
            self._packed = b""
            if self._frame.eof:
                self._packed = self._frame.unused_data
                self._frame = None
        n = min(len(buffer), len(self._ready))
        buffer[:n] = self._ready[:n]
        self._ready = self._ready[n:]
        return n


class LineStream:
    """Iterates over lines of UTF-8 text; afterwards `sha256` is the digest of all bytes.

    Lines end at ``\\n`` or ``\\r\\n`` only, because other Unicode line breaks may occur inside a
    word. A byte-order mark is removed. `path` may be ``-``.

    While iterating, raises BadInputError if the file cannot be read, is empty, has a line of more
    than `longest` bytes, or is not UTF-8 (with the line number).

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_bytes(b"one\\r\\ntwo")
    >>> list(LineStream(path))
    ['one', 'two']
    """

    def __init__(self, path: str | Path, *, longest: int = LONGEST_LINE) -> None:
        self.path = path
        self.longest = longest
        self.sha256 = ""

    def __iter__(self) -> Iterator[str]:
        sha256 = hashlib.sha256()
        number = 0
        empty = True
        with opened(self.path) as file:
            while line := file.readline(self.longest + 2):
                number += 1
                sha256.update(line)
                body = line.removesuffix(b"\n").removesuffix(b"\r")
                if len(body) > self.longest:
                    raise BadInputError(
                        f"{self.path}:{number}: a line of more than {self.longest:,} bytes; "
                        "the file seems to have another format"
                    )
                empty = empty and not body.strip()
                yield decoded(self.path, number, body, first=number == 1)
        if empty:
            raise BadInputError(f"{self.path}: empty file; give a file with text in it")
        self.sha256 = sha256.hexdigest()


@contextlib.contextmanager
def on_disk(path: Path) -> Iterator[Path]:
    """A path that can be read repeatedly; standard input is copied to a temporary file."""
    if not is_stdin(path):
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="stdin-") as file:
        with opened(path) as content:
            while chunk := content.read(_CHUNK):
                try:
                    file.write(chunk)
                    file.flush()
                except OSError as error:
                    raise BadInputError(
                        f"standard input cannot be kept in {tempfile.gettempdir()} "
                        f"({error.strerror}); set TMPDIR to a folder with room"
                    ) from None
        try:
            yield Path(file.name)
        except BadInputError as error:
            raise BadInputError(str(error).replace(file.name, str(path))) from None


def decoded(path: str | Path, number: int, data: bytes, *, first: bool = False) -> str:
    """Decode a line of UTF-8; BadInputError names the line and the byte if it is not UTF-8."""
    try:
        text = data.decode("utf-8-sig" if first else "utf-8")
        return text.rstrip("\x1a")  # by which DOS ends a text
    except UnicodeDecodeError as error:
        raise not_utf8(path, number, error) from None


def not_utf8(path: str | Path, number: int, error: UnicodeDecodeError) -> BadInputError:
    """The error to raise for a line that is not UTF-8."""
    return BadInputError(
        f"{path}:{number}: not UTF-8 (byte 0x{error.object[error.start]:02x}); convert it, "
        "for example with iconv"
    )


def digest(path: str | Path, *, unpacked: bool = True) -> str:
    """SHA-256 of a file: of its decompressed content, or as stored."""
    sha256 = hashlib.sha256()
    with opened(path) if unpacked else open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
    return sha256.hexdigest()
