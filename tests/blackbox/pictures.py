"""Pictures made here, so that no file lies about."""

import struct
import zlib


def png(width=240, height=160):
    """A gradient as a PNG with three 8-bit channels."""
    rows = b"".join(
        b"\0" + b"".join(bytes((x * 255 // width, y * 255 // height, 140)) for x in range(width)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width=640, height=640):
    """Gray as a JPEG: every block is the middle of the scale, which takes two bits."""
    blocks = -(-width // 8) * -(-height // 8)
    bits = "0" * (2 * blocks)
    bits += "1" * (-len(bits) % 8)
    # One code of one bit for each of the two tables: no difference to the block before, and nothing more in this one.
    codes = b"\1" + bytes(16)
    return b"\xff\xd8" + b"".join((
        part(0xDB, b"\0" + b"\1" * 64),
        part(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"),
        part(0xC4, b"\0" + codes),
        part(0xC4, b"\x10" + codes),
        part(0xDA, b"\1\1\0\0\x3f\0"),
    )) + int(bits, 2).to_bytes(len(bits) // 8, "big") + b"\xff\xd9"


def part(kind, data):
    return struct.pack(">BBH", 0xFF, kind, len(data) + 2) + data
