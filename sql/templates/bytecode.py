"""Templates as compiled by an earlier process: compiling those of one model takes 0.3 s.

Jinja keeps its code in the user's cache folder, by the name of the template and the digest of its
text. The cache is never needed: what cannot be read or written is compiled.
"""

from __future__ import annotations

from contextlib import suppress

from jinja2 import BytecodeCache, FileSystemBytecodeCache
from jinja2.bccache import Bucket
from platformdirs import user_cache_path


class _Kept(FileSystemBytecodeCache):
    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)


def compiled_templates() -> BytecodeCache | None:
    """The cache, or None if there is no folder for it."""
    folder = user_cache_path("mlpond") / "templates"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return _Kept(str(folder), "%s.cache")
