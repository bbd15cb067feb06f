package main

import (
	"fmt"
	"math/rand"

	"github.com/hashicorp/memberlist"
)

// memberState is memberlist's row of a member, and a map from names to pointers to rows is its table.
type memberState struct {
	memberlist.Node
	Incarnation uint32
}

func table() {
	const members = 1000000
	const findsPerOperation = 1024
	random := rand.New(rand.NewSource(7))
	names := make([]string, members)
	for i, number := range random.Perm(members) {
		names[i] = fmt.Sprintf("node-%06d", number)
	}
	var rows map[string]*memberState
	fill := func() {
		rows = map[string]*memberState{}
		for _, name := range names {
			rows[name] = &memberState{Node: memberlist.Node{Name: name}}
		}
	}
	measureOnce(fmt.Sprintf("table_insert_%d", members), members, func() func() { return fill })
	if rows == nil {
		fill()
	}
	// Asked for in another order, by other copies of the names.
	asked := make([]string, members)
	for i, number := range random.Perm(members) {
		asked[i] = string([]byte(names[number]))
	}
	next := 0
	seen := uint32(0)
	measureMany(fmt.Sprintf("table_find_%d", members), findsPerOperation, func() {
		if next+findsPerOperation > members {
			next = 0
		}
		for _, name := range asked[next : next+findsPerOperation] {
			row, ok := rows[name]
			if !ok {
				check(fmt.Errorf("%s is missing", name))
			}
			seen += row.Incarnation
		}
		next += findsPerOperation
	})
	if seen != 0 {
		check(fmt.Errorf("rows changed"))
	}
}
