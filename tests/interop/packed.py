"""msgpack, as little of it as RPC and memberlist use: values to bytes and back, and where a value ends.

Strings and byte strings stay apart (str and bytes), maps keep their order.
"""
import struct


class Short(Exception):
    """The value goes on behind the end of the bytes."""


def pack(value):
    """In the smallest form; bytes as bin."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if -32 <= value <= 127:
            return struct.pack("b", value)
        for code, form, least, most in ((0xcc, ">B", 0, 255), (0xcd, ">H", 0, 65535), (0xce, ">I", 0, 2**32 - 1),
                                        (0xcf, ">Q", 0, 2**64 - 1), (0xd3, ">q", -2**63, -1)):
            if least <= value <= most:
                return bytes([code]) + struct.pack(form, value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        return _sized(value.encode("utf-8", "surrogateescape"), 0xa0, 31, 0xd9, 0xda, 0xdb)
    if isinstance(value, bytes):
        return _sized(value, None, -1, 0xc4, 0xc5, 0xc6)
    if isinstance(value, (list, tuple)):
        return _counted(len(value), 0x90, 0xdc) + b"".join(map(pack, value))
    if isinstance(value, dict):
        return _counted(len(value), 0x80, 0xde) + b"".join(pack(key) + pack(item) for key, item in value.items())
    raise TypeError(type(value))


def raw(value):
    """Bytes in the old raw family, as gossip has them."""
    data = value.encode() if isinstance(value, str) else value
    if len(data) < 32:
        return bytes([0xa0 | len(data)]) + data
    return b"\xda" + struct.pack(">H", len(data)) + data


def _sized(data, fix, fix_max, code8, code16, code32):
    if fix is not None and len(data) <= fix_max:
        return bytes([fix | len(data)]) + data
    if len(data) < 256:
        return bytes([code8, len(data)]) + data
    if len(data) < 65536:
        return bytes([code16]) + struct.pack(">H", len(data)) + data
    return bytes([code32]) + struct.pack(">I", len(data)) + data


def _counted(count, fix, code16):
    return bytes([fix | count]) if count < 16 else bytes([code16]) + struct.pack(">H", count)


_FIXED = {0xca: ">f", 0xcb: ">d", 0xcc: ">B", 0xcd: ">H", 0xce: ">I", 0xcf: ">Q", 0xd0: ">b", 0xd1: ">h", 0xd2: ">i", 0xd3: ">q"}
_LENGTHS = {0xc4: ">B", 0xc5: ">H", 0xc6: ">I", 0xd9: ">B", 0xda: ">H", 0xdb: ">I", 0xdc: ">H", 0xdd: ">I", 0xde: ">H", 0xdf: ">I"}


def unpack(data, at=0):
    """(value, where it ends)."""
    def take(count):
        nonlocal at
        if at + count > len(data):
            raise Short
        at += count
        return data[at - count:at]

    def text(length):
        return bytes(take(length)).decode("utf-8", "surrogateescape")

    def array(length):
        nonlocal at
        items = []
        for _ in range(length):
            item, at = unpack(data, at)
            items.append(item)
        return items

    def mapping(length):
        items = array(2 * length)
        return dict(zip(items[::2], items[1::2]))

    code = take(1)[0]
    if code < 0x80:
        return code, at
    if code >= 0xe0:
        return code - 256, at
    if code < 0x90:
        return mapping(code & 15), at
    if code < 0xa0:
        return array(code & 15), at
    if code < 0xc0:
        return text(code & 31), at
    if code in (0xc0, 0xc2, 0xc3):
        return {0xc0: None, 0xc2: False, 0xc3: True}[code], at
    if code in _FIXED:
        form = _FIXED[code]
        return struct.unpack(form, take(struct.calcsize(form)))[0], at
    form = _LENGTHS[code]
    length = struct.unpack(form, take(struct.calcsize(form)))[0]
    if code in (0xc4, 0xc5, 0xc6):
        return bytes(take(length)), at
    return (text if code < 0xdc else array if code < 0xde else mapping)(length), at


def unpack_all(data):
    """The whole values at the front, and the bytes behind them."""
    values, at = [], 0
    while at < len(data):
        try:
            value, at = unpack(data, at)
        except Short:
            break
        values.append(value)
    return values, data[at:]
