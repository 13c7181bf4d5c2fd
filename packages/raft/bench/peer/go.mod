module quorate.example/core-bench-peer

go 1.22

require go.etcd.io/raft/v3 v3.6.0
