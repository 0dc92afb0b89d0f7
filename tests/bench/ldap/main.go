// Loads an LDAP server: `load pages|equality|binds CONNECTIONS SECONDS`, one JSON answer. It is told by its environment where the server
// is and who asks (LDAP_URL, LDAP_BASE, LDAP_NAME, LDAP_SECRET), and how many people there are (PEOPLE).
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

var attributes = []string{
	"objectClass", "uid", "cn", "sn", "givenName", "displayName", "mail", "memberOf", "uidNumber", "gidNumber", "homeDirectory",
	"loginShell", "gecos",
}

func try[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func env(name string) string { return os.Getenv(name) }

var people = try(strconv.Atoi(env("PEOPLE")))

func bind(conn *ldap.Conn) { try(0, conn.Bind(env("LDAP_NAME"), env("LDAP_SECRET"))) }

func find(conn *ldap.Conn, filter string, page uint32) *ldap.SearchResult {
	base := "ou=people," + env("LDAP_BASE")
	request := ldap.NewSearchRequest(base, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
	if page > 0 {
		return try(conn.SearchWithPaging(request, page))
	}
	return try(conn.Search(request))
}

// Each is done again and again on a connection.
var kinds = map[string]func(*ldap.Conn){
	"pages": func(conn *ldap.Conn) {
		if found := find(conn, "(uid=*)", 500).Entries; len(found) != people || len(found[people/2].Attributes) != len(attributes) {
			log.Fatalf("%d people came", len(found))
		}
	},
	"equality": func(conn *ldap.Conn) {
		name := fmt.Sprintf("p%05d", 1+rand.IntN(10_000))
		if found := find(conn, "(uid="+name+")", 0).Entries; len(found) != 1 || found[0].GetAttributeValue("uid") != name {
			log.Fatalf("%d came for %s", len(found), name)
		}
	},
	"binds": bind,
}

func main() {
	log.SetFlags(0)
	do := kinds[os.Args[1]]
	connections, seconds := try(strconv.Atoi(os.Args[2])), try(strconv.Atoi(os.Args[3]))
	took := make([][]time.Duration, connections)
	open := make([]*ldap.Conn, connections)
	for at := range open {
		open[at] = try(ldap.DialURL(env("LDAP_URL")))
		bind(open[at])
		do(open[at])
	}
	var all sync.WaitGroup
	begun := time.Now()
	end := begun.Add(time.Duration(seconds) * time.Second)
	for at, conn := range open {
		all.Go(func() {
			for from := time.Now(); from.Before(end); from = time.Now() {
				do(conn)
				took[at] = append(took[at], time.Since(from))
			}
		})
	}
	all.Wait()
	lasted := time.Since(begun)
	times := slices.Concat(took...)
	slices.Sort(times)
	at := func(part int) float64 { return float64(times[len(times)*part/100].Microseconds()) / 1000 }
	answer := map[string]any{"count": len(times), "rate": float64(len(times)) / lasted.Seconds(), "p50": at(50), "p99": at(99)}
	try(0, json.NewEncoder(os.Stdout).Encode(answer))
}
