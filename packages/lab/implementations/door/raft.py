#!/usr/bin/env python3
"""A tiny Raft behind the third door: read, write and cas over lines of JSON (Maelstrom's node protocol), files in QUORATE_LAB_DIR.

One loop: take every line that is there, change the state, make it durable, and only then say what came of it.
Elections, replication and commitment as in the paper's Figure 2; no snapshots, no change of members.
"""
import json
import os
import random
import select
import sys
import time

HEARTBEAT = 0.06
ELECTION_MIN, ELECTION_MAX = 0.25, 0.5
BATCH = 200


class Journal:
    """Term, vote and log, as a file that only grows: each line says what is so from here on."""

    def __init__(self, directory):
        self.term, self.vote, self.log = 0, None, []
        path = os.path.join(directory, "raft.jsonl")
        self.dirty = False
        good = 0
        if os.path.exists(path):
            with open(path, "rb") as file:
                for line in file:
                    # A last line without its end was being written when the process was killed: nobody was told of it.
                    if not line.endswith(b"\n"):
                        break
                    self._replay(json.loads(line))
                    good += len(line)
        self.file = open(path, "ab")
        self.file.truncate(good)

    def _replay(self, record):
        if "term" in record:
            self.term, self.vote = record["term"], record["vote"]
        else:
            del self.log[record["after"]:]
            self.log.extend(record["entries"])

    def _write(self, record):
        self._replay(record)
        self.file.write(json.dumps(record).encode() + b"\n")
        self.dirty = True

    def promise(self, term, vote):
        self._write({"term": term, "vote": vote})

    def append(self, after, entries):
        """The log is its first `after` entries, then these."""
        self._write({"after": after, "entries": entries})

    def sync(self):
        if self.dirty:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.dirty = False


class Server:
    def __init__(self):
        self.id, self.ids, self.disk = None, [], None
        self.role, self.votes = "follower", set()
        self.commit = self.applied = 0
        self.next, self.match = {}, {}
        self.store = {}
        self.waiting = {}
        self.outbox = []
        self.deadline = float("inf")

    # What goes out

    def send(self, dest, body):
        self.outbox.append({"src": self.id, "dest": dest, "body": body})

    def reply(self, request, body):
        self.send(request["src"], {**body, "in_reply_to": request["body"]["msg_id"]})

    def refuse(self, request, code, text):
        self.reply(request, {"type": "error", "code": code, "text": text})

    def flush(self):
        self.disk.sync()
        for message in self.outbox:
            sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
        self.outbox.clear()

    # What comes in

    def handle(self, message):
        body = message["body"]
        handler = getattr(self, "on_" + body["type"], None)
        if handler is None:
            return self.refuse(message, 10, "there is no " + body["type"])
        if "term" in body and body["term"] > self.disk.term:
            self.follow(body["term"])
        handler(message, body)

    def on_init(self, message, body):
        self.id, self.ids = body["node_id"], body["node_ids"]
        self.disk = Journal(os.environ["QUORATE_LAB_DIR"])
        self.rest()
        self.reply(message, {"type": "init_ok"})

    def on_read(self, message, body):
        self.propose(message, body)

    def on_write(self, message, body):
        self.propose(message, body)

    def on_cas(self, message, body):
        self.propose(message, body)

    def propose(self, message, body):
        if self.role != "leader":
            return self.refuse(message, 11, "not the leader")
        at = len(self.disk.log)
        self.disk.append(at, [{"term": self.disk.term, "op": body}])
        self.waiting[at] = message
        self.replicate()
        self.advance()

    # Elections (§5.2, §5.4.1)

    def rest(self):
        self.deadline = time.monotonic() + random.uniform(ELECTION_MIN, ELECTION_MAX)

    def follow(self, term):
        if term > self.disk.term:
            self.disk.promise(term, None)
        if self.role == "leader":
            for message in self.waiting.values():
                self.refuse(message, 13, "not the leader any more")
            self.waiting.clear()
            self.rest()
        self.role = "follower"

    def campaign(self):
        self.role, self.votes = "candidate", {self.id}
        self.disk.promise(self.disk.term + 1, self.id)
        self.rest()
        last = self.disk.log[-1]["term"] if self.disk.log else 0
        for peer in self.peers():
            self.send(peer, {"type": "request_vote", "term": self.disk.term, "last": len(self.disk.log), "last_term": last})

    def on_request_vote(self, message, body):
        log = self.disk.log
        own = (log[-1]["term"] if log else 0, len(log))
        free = self.disk.vote in (None, message["src"])
        granted = body["term"] == self.disk.term and free and (body["last_term"], body["last"]) >= own
        if granted:
            self.disk.promise(self.disk.term, message["src"])
            self.rest()
        self.send(message["src"], {"type": "vote", "term": self.disk.term, "granted": granted})

    def on_vote(self, message, body):
        if self.role != "candidate" or body["term"] != self.disk.term or not body["granted"]:
            return
        self.votes.add(message["src"])
        if len(self.votes) > len(self.ids) // 2:
            self.lead()

    def lead(self):
        self.role = "leader"
        length = len(self.disk.log)
        self.next = {peer: length for peer in self.peers()}
        self.match = {peer: 0 for peer in self.peers()}
        # Entries of earlier terms are committed through one of this term (§5.4.2, §8).
        self.disk.append(length, [{"term": self.disk.term, "op": None}])
        self.replicate()

    # Replication (§5.3)

    def peers(self):
        return [each for each in self.ids if each != self.id]

    def replicate(self):
        self.deadline = time.monotonic() + HEARTBEAT
        for peer in self.peers():
            self.append_to(peer)

    def append_to(self, peer):
        log, at = self.disk.log, self.next[peer]
        self.send(peer, {
            "type": "append", "term": self.disk.term, "after": at, "after_term": log[at - 1]["term"] if at else 0,
            "entries": log[at:at + BATCH], "commit": self.commit,
        })

    def on_append(self, message, body):
        log, after = self.disk.log, body["after"]
        if body["term"] < self.disk.term:
            return self.send(message["src"], {"type": "appended", "term": self.disk.term, "ok": False, "length": 0})
        self.role = "follower"
        self.rest()
        if after > len(log) or (after and log[after - 1]["term"] != body["after_term"]):
            back = min(len(log), max(0, after - 1))
            return self.send(message["src"], {"type": "appended", "term": self.disk.term, "ok": False, "length": back})
        entries = body["entries"]
        for at, entry in enumerate(entries):
            if after + at >= len(log) or log[after + at]["term"] != entry["term"]:
                self.disk.append(after + at, entries[at:])
                break
        matched = after + len(entries)
        self.commit = max(self.commit, min(body["commit"], matched))
        self.apply()
        self.send(message["src"], {"type": "appended", "term": self.disk.term, "ok": True, "length": matched})

    def on_appended(self, message, body):
        peer = message["src"]
        if self.role != "leader" or body["term"] != self.disk.term:
            return
        if not body["ok"]:
            self.next[peer] = max(self.match[peer], min(self.next[peer], body["length"]))
            return self.append_to(peer)
        self.match[peer] = max(self.match[peer], body["length"])
        self.next[peer] = max(self.next[peer], self.match[peer])
        self.advance()
        if self.next[peer] < len(self.disk.log):
            self.append_to(peer)

    def advance(self):
        """Commits what a majority has, if it is of this term (§5.4.2)."""
        lengths = sorted([*self.match.values(), len(self.disk.log)], reverse=True)
        majority = lengths[len(self.ids) // 2]
        if majority > self.commit and self.disk.log[majority - 1]["term"] == self.disk.term:
            self.commit = majority
            self.apply()

    def apply(self):
        while self.applied < self.commit:
            op = self.disk.log[self.applied]["op"]
            answer = None if op is None else self.carry_out(op)
            message = self.waiting.pop(self.applied, None)
            if message is not None:
                self.reply(message, answer)
            self.applied += 1

    def carry_out(self, op):
        # Keys of objects are text in JSON; as text they are told apart all the same.
        key = json.dumps(op["key"])
        if op["type"] == "write":
            self.store[key] = op["value"]
            return {"type": "write_ok"}
        if key not in self.store:
            return {"type": "error", "code": 20, "text": "no such key"}
        if op["type"] == "read":
            return {"type": "read_ok", "value": self.store[key]}
        if self.store[key] != op["from"]:
            return {"type": "error", "code": 22, "text": "another value stands there"}
        self.store[key] = op["to"]
        return {"type": "cas_ok"}

    def on_timeout(self):
        if self.role == "leader":
            self.replicate()
        else:
            self.campaign()


def main(server):
    rest = b""
    while True:
        wait = min(1.0, max(0.0, server.deadline - time.monotonic()))
        if select.select([0], [], [], wait)[0]:
            chunk = os.read(0, 1 << 20)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                server.handle(json.loads(line))
        if time.monotonic() >= server.deadline:
            server.on_timeout()
        if server.disk is not None:
            server.flush()


if __name__ == "__main__":
    main(Server())
