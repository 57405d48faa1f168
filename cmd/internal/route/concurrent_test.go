package route_test

import (
	"fmt"
	"sync"
	"testing"

	"rohrpost/cmd/internal/route"
	"rohrpost/cmd/internal/users"
	"rohrpost/protocol/address"
)

// TestA20_NobodyIsUnknownWhileUsersIsReplaced looks people up, in several
// goroutines of one table as deliver does, while others are added and passwords
// changed.
func TestA20_NobodyIsUnknownWhileUsersIsReplaced(t *testing.T) {
	t.Parallel()
	etc := tree(t, host)
	table, err := route.Load(etc, "/mail")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := table.Resolve(address.Address{Local: "bob", Domain: "mx.example"})
				if err != nil || got.Kind != route.Mailbox {
					t.Errorf("bob is %v, %v", got.Kind, err)
					return
				}
			}
		})
	}
	book := users.Open(etc, "/mail")
	for i := range 50 {
		if err := book.Add(etc, fmt.Sprintf("new%d:x:::::", i)); err != nil {
			t.Error(err)
		}
		if err := book.SetHash(etc, "bob", fmt.Sprint(i)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	readers.Wait()
}

// Two who change the file at once both have their change in it.
func TestEditorsDoNotOverwriteEachOther(t *testing.T) {
	t.Parallel()
	etc := tree(t, host)
	var editors sync.WaitGroup
	const each = 20
	for e := range 3 {
		editors.Go(func() {
			for i := range each {
				if err := users.Open(etc, "/mail").Add(etc, fmt.Sprintf("u%d-%d:x", e, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	editors.Wait()
	n := 0
	if err := users.Open(etc, "/mail").Each(func(_ users.User, err error) error { n++; return err }); err != nil {
		t.Fatal(err)
	}
	if n != 4+3*each {
		t.Errorf("%d users", n)
	}
}
