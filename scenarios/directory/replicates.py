#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
"""replicates.py OTHER USER PASSWORD BASE: an object that is made at the machine must be seen at the other controller, and be gone
there when it was deleted. LDAP over TLS (RFC 4511), with the words of it that this takes and no library."""
import os, secrets, socket, ssl, sys, time


def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    head = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + head + body


def text(value, tag=0x04):
    return tlv(tag, value.encode())


def number(value, tag=0x02):
    return tlv(tag, bytes([value]))


class Directory:
    def __init__(self, address, user, password):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection((address, 636), timeout=max(1, until - time.monotonic()))
        self.stream = context.wrap_socket(plain).makefile("rwb")
        self.expect(self.ask(tlv(0x60, number(3), text(user), text(password, 0x80)))[-1], "login at " + address)

    def read(self):
        head = self.stream.read(2)
        if len(head) < 2:
            raise OSError("the connection was closed")
        size = head[1]
        if size >= 128:
            size = int.from_bytes(self.stream.read(size - 128), "big")
        body = self.stream.read(size)
        at = 2 + body[1]  # behind the message's number
        tag, size = body[at], body[at + 1]
        at += 2
        if size >= 128:
            at += size - 128
        return tag, body[at:]

    def ask(self, operation):
        """All answers to it, the last one of which says how it went."""
        self.stream.write(tlv(0x30, number(1), operation))
        self.stream.flush()
        answers = [self.read()]
        while answers[-1][0] in (0x64, 0x73):  # entries and references
            answers.append(self.read())
        return answers

    def expect(self, answer, what):
        if answer[1][2] != 0:
            fail(f"{what}: LDAP result {answer[1][2]}")

    def add(self, name, base):
        kind = tlv(0x30, text("objectClass"), tlv(0x31, text("container")))
        self.expect(self.ask(tlv(0x68, text(f"CN={name},{base}"), tlv(0x30, kind)))[-1], "adding")

    def delete(self, name, base):
        self.expect(self.ask(text(f"CN={name},{base}", 0x4A))[-1], "deleting")

    def has(self, name, base):
        wanted = tlv(0xA3, text("cn"), text(name))
        answers = self.ask(tlv(0x63, text(base), number(2, 0x0A), number(0, 0x0A), number(0), number(0), tlv(0x01, b"\0"), wanted, tlv(0x30)))
        self.expect(answers[-1], "searching")
        return any(tag == 0x64 for tag, _ in answers)


def fail(why):
    print("CRITICAL: " + why)
    sys.exit(2)


def follow(directory, name, base, there, what):
    begin = time.monotonic()
    while directory.has(name, base) != there:
        if time.monotonic() > until:
            fail(f"{what} was not replicated from {here} to {other} within {time.monotonic() - begin:.0f} s")
        time.sleep(0.2)


other, user, password, base = sys.argv[1:]
here = os.environ["PATCHLAB_ADDRESS"]
until = time.monotonic() + float(os.environ["PATCHLAB_DEADLINE_S"]) - 3
name = "patchlab-" + secrets.token_hex(8)
try:
    writer, reader = Directory(here, user, password), Directory(other, user, password)
    writer.add(name, base)
    follow(reader, name, base, True, "an addition")
    writer.delete(name, base)
    follow(reader, name, base, False, "a deletion")
except (OSError, ssl.SSLError) as trouble:
    fail(str(trouble))
print("OK: replicated from " + here + " to " + other)
