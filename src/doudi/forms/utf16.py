"""UTF-16, which COPY does not read: recognised, and rewritten as UTF-8 in a stream."""

import codecs
from pathlib import Path

_PIECE_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 16
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def utf16_codec(path: Path) -> str | None:
    """The codec of a file in UTF-16, None where it is none.

    Without a BOM the NULs tell: the line feeds, delimiters and digits of a table have one each, all on the same side.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    if sample[:2] in _BOMS:
        return _BOMS[sample[:2]]
    units = len(sample) // 2
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    if max(first, second) * 20 < units or max(first, second) < 20 * min(first, second) or not first + second:
        return None
    return "utf-16-be" if first > second else "utf-16-le"


def transcode(source: Path, target: Path, *, codec: str) -> None:
    """Write ``source`` as UTF-8 into ``target``, without a BOM.

    Half a surrogate pair and a last byte without its other half become bytes that are no UTF-8, so that the records
    they stand in, and no others, are set aside later.
    """
    decoder = codecs.getincrementaldecoder(codec)(errors="surrogatepass")
    with source.open("rb") as file, target.open("wb") as out:
        if file.read(2) not in _BOMS:
            file.seek(0)
        while piece := file.read(_PIECE_BYTES):
            out.write(decoder.decode(piece).encode("utf-8", errors="surrogatepass"))
        rest, _ = decoder.getstate()
        whole = len(rest) // 2 * 2
        out.write(rest[:whole].decode(codec, errors="surrogatepass").encode("utf-8", errors="surrogatepass"))
        if len(rest) > whole:
            out.write(b"\xff")
