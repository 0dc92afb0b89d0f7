// An LDAP client made with go-ldap: `client ACTION…`, one JSON answer each; ../README.md says how it is told.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log"
	"os"

	"github.com/go-ldap/ldap/v3"
)

func try[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func must(err error) { try(struct{}{}, err) }

func trusted() *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(try(os.ReadFile(os.Getenv("LDAP_CA"))))
	return &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

func dial() *ldap.Conn { return try(ldap.DialURL(os.Getenv("LDAP_URL"))) }

func bind(conn *ldap.Conn) *ldap.Conn {
	must(conn.Bind(os.Getenv("LDAP_NAME"), os.Getenv("LDAP_SECRET")))
	return conn
}

func search(scope int, filter string, attributes ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(os.Getenv("LDAP_BASE"), scope, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
}

// code is what the server said: 0 for success.
func code(err error) uint16 {
	var told *ldap.Error
	if errors.As(err, &told) {
		return told.ResultCode
	}
	must(err)
	return ldap.LDAPResultSuccess
}

var actions = map[string]func() any{
	"bind": func() any {
		conn := dial()
		name, secret := os.Getenv("LDAP_NAME"), os.Getenv("LDAP_SECRET")
		wrong := code(conn.Bind(name, secret+"!"))
		missing := code(conn.UnauthenticatedBind(name))
		right := code(conn.Bind(name, secret))
		return map[string]any{"wrong": wrong, "missing": missing, "right": right}
	},
	"whoami": func() any {
		conn := dial()
		before := try(conn.WhoAmI(nil)).AuthzID
		return []string{before, try(bind(conn).WhoAmI(nil)).AuthzID}
	},
	"pages": func() any {
		found := try(bind(dial()).SearchWithPaging(search(ldap.ScopeWholeSubtree, "(uid=*)", "uid"), 500))
		names := map[string]bool{}
		for _, entry := range found.Entries {
			names[entry.GetAttributeValue("uid")] = true
		}
		return map[string]int{"entries": len(found.Entries), "names": len(names)}
	},
	"compare": func() any {
		conn := bind(dial())
		dn := "uid=alice,ou=people," + os.Getenv("LDAP_BASE")
		return []bool{try(conn.Compare(dn, "uid", "alice")), try(conn.Compare(dn, "uid", "bob"))}
	},
	"starttls": func() any {
		conn := dial()
		must(conn.StartTLS(trusted()))
		state, _ := conn.TLSConnectionState()
		found := try(bind(conn).Search(search(ldap.ScopeWholeSubtree, "(uid=alice)", "mail")))
		return map[string]any{"version": tls.VersionName(state.Version), "mail": found.Entries[0].GetAttributeValues("mail")}
	},
	"ldaps": func() any {
		conn := try(ldap.DialURL(os.Getenv("LDAPS_URL"), ldap.DialWithTLSConfig(trusted())))
		return len(try(bind(conn).Search(search(ldap.ScopeSingleLevel, "(objectClass=*)"))).Entries)
	},
	"stranger": func() any {
		must(dial().StartTLS(&tls.Config{ServerName: "127.0.0.1"}))
		return "taken for trusted"
	},
	"write": func() any {
		conn := bind(dial())
		add := ldap.NewAddRequest("uid=eve,ou=people,"+os.Getenv("LDAP_BASE"), nil)
		add.Attribute("objectClass", []string{"inetOrgPerson"})
		_, err := conn.PasswordModify(ldap.NewPasswordModifyRequest("", "", "another"))
		return map[string]uint16{"add": code(conn.Add(add)), "password": code(err)}
	},
}

func main() {
	log.SetFlags(0)
	action, known := actions[os.Args[1]]
	if !known {
		log.Fatal("there is no such action")
	}
	must(json.NewEncoder(os.Stdout).Encode(action()))
}
