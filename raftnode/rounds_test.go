package raftnode

import (
	"testing"
	"testing/synctest"
)

func TestReadersJoinOnlyRoundsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent, answer := make(chan uint64, 16), make(chan struct{})
		var n uint64
		r := newRounds(func() (ReadPoint, error) {
			n++
			sent <- n
			<-answer
			return ReadPoint{Index: n}, nil
		})
		stop := make(chan struct{})
		go r.run(stop)

		first := r.join()
		<-sent // the first round is under way
		late := []*round{r.join(), r.join(), r.join()}
		for i, l := range late {
			if l == first {
				t.Errorf("reader %d joined a round that was sent", i)
			}
			if l != late[0] {
				t.Errorf("reader %d did not share", i)
			}
		}
		answer <- struct{}{}
		<-first.done
		select {
		case <-late[0].done:
			t.Error("the answer to the first round was given to later readers")
		default:
		}
		answer <- struct{}{}
		<-late[0].done
		if first.point.Index != 1 || late[0].point.Index != 2 || r.count() != 2 {
			t.Errorf("points %v, %v; %d rounds", first.point, late[0].point, r.count())
		}
		close(stop)
		<-r.done
	})
}
