"""Registered corpora: official URLs, SHA-256, local copies, resumable downloads."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import platformdirs

from hebbsim.errors import BadInputError
from hebbsim.readers.base import data_file
from hebbsim.readers.lines import digest

#: Called with the file name, the number of bytes so far and the total.
Progress = Callable[[str, int, int], None]

_CHUNK = 1 << 16
_TIMEOUT = 30  # seconds without data


@dataclass(frozen=True)
class RemoteFile:
    """One original file: URL, digest and size of the download, counts of its content."""

    name: str
    url: str
    sha256: str
    bytes: int
    sentences: int
    tokens: int


@dataclass(frozen=True)
class Entry:
    """One registered corpus."""

    name: str
    title: str
    #: Selects the reader: ``cogs`` or ``ud``.
    format: str
    licence: str
    source: str
    commit: str
    cite: str
    #: By split name; ``gen`` holds all generalization splits of COGS.
    files: Mapping[str, RemoteFile]


@cache
def entries() -> dict[str, Entry]:
    """All registered corpora by name.

    Raises BadInputError if an entry lacks a field or has an unknown one.
    """
    content = json.loads(data_file("registry.json").read_text(encoding="utf-8"))
    found = {}
    for name, given in content["corpora"].items():
        entry = _checked(Entry, {"name": name, **given}, name)
        files = {
            split: _checked(RemoteFile, file, f"{name}, {split}")
            for split, file in entry.files.items()
        }
        found[name] = replace(entry, files=files)
    return found


def _checked(kind: type[Any], given: Mapping[str, Any], where: str) -> Any:
    names = [field.name for field in fields(kind)]
    wrong = [f"no field {name}" for name in names if name not in given]
    wrong += [f"unknown field {name}" for name in given if name not in names]
    if wrong:
        raise BadInputError(f"corpora/registry.json: {where}: {', '.join(wrong)}")
    return kind(**given)


def cache_folder() -> Path:
    """Folder of downloads: ``HEBBSIM_CACHE_DIR``, or the user's cache folder."""
    return Path(os.environ.get("HEBBSIM_CACHE_DIR") or platformdirs.user_cache_dir("hebbsim"))


def find_local(entry: Entry) -> dict[str, Path]:
    """Local copies of a corpus's files by split name; their content is not checked.

    Plain and ``.gz`` files are searched for in ``$HEBBSIM_DATA_DIR/NAME``, its subfolder
    ``original`` and the folder of downloads.
    """
    folders = [cache_folder() / "corpora" / entry.name]
    if data := os.environ.get("HEBBSIM_DATA_DIR"):
        own = Path(data) / entry.name
        folders = [own, own / "original", *folders]
    found = {}
    for split, file in entry.files.items():
        candidates = (f / name for f in folders for name in (file.name, f"{file.name}.gz"))
        path = next((path for path in candidates if path.is_file()), None)
        if path is not None:
            found[split] = path
    return found


def fetch(
    entry: Entry, *, offline: bool = False, progress: Progress | None = None
) -> dict[str, Path]:
    """All files of a corpus by split name; missing files are downloaded unless `offline`.

    An interrupted download resumes, now or at the next call. A file is moved into place only if
    its SHA-256 is the registered one; a damaged earlier download is fetched again.

    Raises BadInputError if a missing file cannot be downloaded, or a SHA-256 differs.
    """
    downloads = cache_folder() / "corpora" / entry.name
    local = {}
    for split, path in find_local(entry).items():
        expected = entry.files[split].sha256
        if digest(path) == expected:
            local[split] = path
        elif path.parent != downloads:
            raise BadInputError(
                f"{path}: SHA-256 is not the registered {expected[:12]}...; replace the file, or "
                "give the folder's path instead of the name to use it as it is"
            )
    missing = {split: file for split, file in entry.files.items() if split not in local}
    if not missing:
        return local
    names = ", ".join(file.name for file in missing.values())
    advice = f"put a copy in $HEBBSIM_DATA_DIR/{entry.name}"
    if offline:
        raise BadInputError(
            f"corpus '{entry.name}': {names} not on this machine and downloading is off; run "
            f"'hebbsim corpus fetch {entry.name}' once, or {advice}"
        )

    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    manager = pooch.create(
        path=downloads,
        base_url="",
        registry={file.name: f"sha256:{file.sha256}" for file in missing.values()},
        urls={file.name: file.url for file in missing.values()},
        retry_if_failed=2,
    )
    for split, file in missing.items():
        part = downloads / f"{file.name}.part"
        downloader = partial(_download, part=part, progress=progress)
        try:
            local[split] = Path(manager.fetch(file.name, downloader=downloader))
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else "an error"
            raise BadInputError(f"{file.url}: the server answered {status}; {advice}") from None
        except requests.RequestException:
            raise BadInputError(
                f"{file.url}: cannot be reached; check the network and try again (what came is "
                f"kept), or {advice}"
            ) from None
        except ValueError:
            raise BadInputError(
                f"{file.url}: SHA-256 of the download is not the registered {file.sha256[:12]}...; "
                f"nothing was kept, try again or {advice}"
            ) from None
        except OSError as error:
            raise BadInputError(
                f"{downloads}: cannot write downloads ({error.strerror}); set "
                "HEBBSIM_CACHE_DIR to a writable folder"
            ) from None
    return {split: local[split] for split in entry.files}


def _download(url: str, output_file: str, _: Any, *, part: Path, progress: Progress | None) -> None:
    """Download a file for pooch, and resume an interrupted download.

    Data is collected in `part`. The complete file is moved to `output_file`, and pooch checks its
    digest.
    """
    import requests

    have = part.stat().st_size if part.exists() else 0
    # Byte ranges refer to the plain file, so it must not be compressed in transit.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        if response.status_code == 416:  # the partial download belongs to another file
            part.unlink()
            raise requests.ConnectionError("the unfinished download did not fit")
        response.raise_for_status()
        sent = response.headers.get("Content-Range", "")
        resumed = response.status_code == 206 and sent.startswith(f"bytes {have}-")
        have = have if resumed else 0
        total = have + int(response.headers.get("Content-Length", 0))
        with part.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                if progress is not None:
                    progress(part.name.removesuffix(".part"), have, total)
        if have < total:
            raise requests.ConnectionError("the connection broke off")
    shutil.move(part, output_file)
