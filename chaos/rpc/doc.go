// Package rpc is the protocol between brunt and an agent: a process that an engine starts for brunt
// because it needs rights that brunt lacks, or because it must outlive brunt. A [Client] sends requests
// and the agent answers them in [Serve]. Both write lines of JSON over the agent's standard input and
// output.
//
//	client --{"id":1,"op":"inject","args":{"n":1}}--> agent
//	       <-{"id":1,"result":{…}}-------------------
//
// An operation is an [Op], a value with the types of its arguments and of its result: the client calls it with [Op.Of],
// and the agent implements it with [Op.By].
//
// A client sends a heartbeat every second. An agent that receives nothing for ten seconds, or whose input
// ends, undoes what it did and exits.
package rpc
