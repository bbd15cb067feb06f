#!/usr/bin/env python3
"""Fills tests/fuzz/corpus from the recorded vectors.

    scripts/grow_corpus.py     writes the files that are missing; removes none

Each input is cut the way its target expects it; encrypted vectors are left out. Inputs above a
few KiB are left out too: mutations work better on small ones.
"""
import json
import pathlib
import struct

ROOT = pathlib.Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests/fuzz/corpus"
INPUT_BYTES_MAX = 2048


def add(target, name, data):
    if len(data) > INPUT_BYTES_MAX:
        return
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name.replace("@", "-") + ".bin")
    if not path.exists():
        path.write_bytes(data)


def compound_parts(body):
    """The parts of a well-formed compound body; fewer when it is cut short."""
    if not body or len(body) < 1 + 2 * body[0]:
        return
    at = 1 + 2 * body[0]
    for length in struct.unpack_from(f">{body[0]}H", body, 1):
        if at + length > len(body):
            return
        yield body[at:at + length]
        at += length


def add_message(name, message, on_stream):
    """One plain message, type byte first, and what is inside it."""
    if not message:
        return
    kind = message[0]
    if kind == 6 and on_stream:
        add("push_pull", name, b"\x01" + message[1:])
    elif kind == 7:
        add("compound", name, message[1:])
        for number, part in enumerate(compound_parts(message[1:])):
            if number < 3:
                add_message(f"{name}-{number}", part, on_stream)
    elif kind == 8 and on_stream:
        add("push_pull", name, b"\x02" + message[1:])
    elif kind != 8:
        add("messages", name, message)
    if kind == 9:
        at = message.find(b"Buf\xda")
        if at > 0:
            add("lzw", name, b"\x03" + message[at + 6:])


def memberlist():
    vectors = json.loads((ROOT / "tests/vectors/memberlist.json").read_text())
    for vector in vectors["vectors"]:
        if "key_hex" in vector:
            continue
        name, packet = vector["id"], bytes.fromhex(vector["hex"])
        on_stream = vector["transport"] != "udp"
        if packet[:1] in (b"\xf4", b"\x0c"):
            add("label_crc", name, packet)
        if packet[:1] == b"\xf4" and len(packet) > 1:
            packet = packet[2 + packet[1]:]
        if packet[:1] == b"\x0c":
            packet = packet[5:]
        add_message(name, packet, on_stream)
    for vector in vectors["lzw"]:
        if "output_hex" in vector:
            add("lzw", vector["id"], b"\x05" + bytes.fromhex(vector["output_hex"]))


def snapshots():
    vectors = json.loads((ROOT / "tests/vectors/serf.json").read_text())
    for vector in vectors["snapshot_recovery"]:
        choice = b"\x03" if vector["rejoin_after_leave"] else b"\x02"
        add("snapshot", vector["name"], choice + vector["content"].encode())
    for path in sorted((ROOT / "tests/vectors").glob("real_*.snap")):
        add("snapshot", path.stem, b"\x05" + path.read_bytes())


def rpc():
    for exchange in json.loads((ROOT / "tests/vectors/serf-rpc.json").read_text())["exchanges"]:
        name = exchange["name"].replace(":", "_") + ("_head" if exchange["server"].startswith("HEAD") else "")
        for number, part in enumerate(exchange.get("response", [])):
            if "hex" in part:
                add("rpc_answers", f"{name}_{number}", bytes.fromhex(part["hex"]))
        if "steps" in exchange:
            request = b"".join(bytes.fromhex(step["hex"]) for step in exchange["steps"] if step["dir"] == "client->server")
        else:
            request = b"".join(bytes.fromhex(part["hex"]) for part in exchange["request"] if "hex" in part)
        add("rpc_session", name, b"\x03\x00" + request)


def node():
    """Datagrams one by one with their length before them, and streams."""
    for vector in json.loads((ROOT / "tests/vectors/memberlist.json").read_text())["vectors"]:
        packet = bytes.fromhex(vector["hex"])
        if "key_hex" in vector or packet[:1] == b"\xf4":
            continue
        if vector["transport"] != "udp":
            add("node", vector["id"], b"\x07" + packet)
        elif len(packet) < 256:
            add("node", vector["id"], bytes([0, len(packet), 0]) + packet)
    for body in json.loads((ROOT / "tests/vectors/serf.json").read_text())["message_bodies"]:
        packet = b"\x08" + bytes.fromhex(body["hex"])
        if len(packet) < 256:
            add("node", "serf-" + body["name"].replace("/", "_").replace(" ", "_"), bytes([0, len(packet), 15]) + packet)


if __name__ == "__main__":
    memberlist()
    snapshots()
    rpc()
    node()
