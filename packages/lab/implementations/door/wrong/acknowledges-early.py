#!/usr/bin/env python3
"""Wrong: the leader takes for committed what it alone has, before a majority has it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import raft  # noqa: E402


class Server(raft.Server):
    def advance(self):
        self.commit = len(self.disk.log)
        self.apply()


raft.main(Server())
