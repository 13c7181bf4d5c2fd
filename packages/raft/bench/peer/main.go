// The same work as core.bench.mjs, done by go.etcd.io/raft: three RawNodes in one process, in-memory storage, messages
// handed over in process, entries of 256 bytes, counted when the leader has applied them.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

type server struct {
	node    *raft.RawNode
	storage *raft.MemoryStorage
	applied uint64
}

type cluster struct {
	servers map[uint64]*server
	network []pb.Message
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func start() *cluster {
	raft.SetLogger(&raft.DefaultLogger{Logger: discard()})
	c := &cluster{servers: map[uint64]*server{}}
	for id := uint64(1); id <= 3; id++ {
		storage := raft.NewMemoryStorage()
		must(storage.ApplySnapshot(pb.Snapshot{Metadata: pb.SnapshotMetadata{
			Index: 1, Term: 1, ConfState: pb.ConfState{Voters: []uint64{1, 2, 3}},
		}}))
		node, err := raft.NewRawNode(&raft.Config{
			ID: id, ElectionTick: 10, HeartbeatTick: 1, Storage: storage, Applied: 1,
			MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256, PreVote: true, CheckQuorum: true,
		})
		must(err)
		c.servers[id] = &server{node: node, storage: storage, applied: 1}
	}
	must(c.servers[1].node.Campaign())
	c.settle()
	if c.servers[1].node.BasicStatus().RaftState != raft.StateLeader {
		panic("server 1 does not lead")
	}
	return c
}

// flush carries out what a server wants until it wants nothing more.
func (c *cluster) flush(s *server) {
	for s.node.HasReady() {
		ready := s.node.Ready()
		must(s.storage.Append(ready.Entries))
		if !raft.IsEmptyHardState(ready.HardState) {
			must(s.storage.SetHardState(ready.HardState))
		}
		c.network = append(c.network, ready.Messages...)
		if count := len(ready.CommittedEntries); count > 0 {
			s.applied = ready.CommittedEntries[count-1].Index
		}
		s.node.Advance(ready)
	}
}

func (c *cluster) settle() {
	for _, s := range c.servers {
		c.flush(s)
	}
	for at := 0; at < len(c.network); at++ {
		message := c.network[at]
		s := c.servers[message.To]
		must(s.node.Step(message))
		c.flush(s)
	}
	c.network = c.network[:0]
}

// compact keeps the in-memory log from growing without bound.
func (c *cluster) compact() {
	for _, s := range c.servers {
		if s.applied > 20000 {
			must(s.storage.Compact(s.applied - 10000))
		}
	}
}

func run(total, batch int) int {
	c := start()
	leader := c.servers[1]
	payload := make([]byte, 256)
	base := leader.applied
	begin := time.Now()
	for done := 0; done < total; done += batch {
		entries := make([]pb.Entry, batch)
		for i := range entries {
			entries[i].Data = payload
		}
		must(leader.node.Step(pb.Message{Type: pb.MsgProp, From: 1, Entries: entries}))
		c.settle()
		if leader.applied != base+uint64(done+batch) {
			panic(fmt.Sprintf("applied %d, expected %d", leader.applied, base+uint64(done+batch)))
		}
		if done%10000 == 0 {
			c.compact()
		}
	}
	return int(float64(total) / time.Since(begin).Seconds())
}

func best(total, batch int) int {
	rate := 0
	for round := 0; round < 5; round++ {
		rate = max(rate, run(total, batch))
	}
	return rate
}

func main() {
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"implementation": "etcd-io/raft",
		"batched":        best(400000, 1000),
		"oneByOne":       best(60000, 1),
	}))
}
