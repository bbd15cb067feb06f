#!/usr/bin/env python3
"""A name server for checks: SRV and A records of one JSON file, read again for each question; every other name does not exist.

    dns_server.py ADDRESS ZONE.json      {"NAME": {"SRV": [[PRIORITY, WEIGHT, PORT, HOST], ...], "A": ["127.0.0.1", ...]}}

Answers over UDP (RFC 1035, 2782) until it is ended.
"""
import ipaddress
import json
import pathlib
import socket
import struct
import sys

TYPES = {1: "A", 33: "SRV"}
NO_SUCH_NAME = 3


def name_bytes(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def asked(packet):
    """The name, the type and the bytes of the first question."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack_from(">H", packet, at + 1)[0], packet[12:at + 5]


def data_of(kind, record):
    if kind == "A":
        return ipaddress.IPv4Address(record).packed
    priority, weight, port, host = record
    return struct.pack(">HHH", priority, weight, port) + name_bytes(host)


def answer(packet, zone):
    name, number, question = asked(packet)
    kind = TYPES.get(number)
    records = zone.get(name, {}).get(kind, [])
    flags = 0x8580 | (0 if name in zone else NO_SUCH_NAME)  # a response, authoritative, as recursive as wanted
    body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", number, 1, 0, len(data)) + data
                    for data in (data_of(kind, record) for record in records))
    return packet[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question + body


def main():
    address, zone = sys.argv[1], pathlib.Path(sys.argv[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        while True:
            packet, client = server.recvfrom(4096)
            try:
                server.sendto(answer(packet, json.loads(zone.read_text())), client)
            except (IndexError, struct.error, UnicodeDecodeError) as error:
                print(f"passed over a question: {error}", flush=True)


if __name__ == "__main__":
    main()
