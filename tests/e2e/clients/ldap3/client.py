"""An LDAP client made with ldap3: `client.py ACTION`, one JSON answer each; ../README.md says how it is told."""
import json
import os
import ssl
import sys

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

BASE, NAME, SECRET = (os.environ[name] for name in ("LDAP_BASE", "LDAP_NAME", "LDAP_SECRET"))


def server(url="LDAP_URL"):
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=os.environ["LDAP_CA"], valid_names=["127.0.0.1"])
    return ldap3.Server(os.environ[url], get_info=ldap3.ALL, tls=tls)


def bound(**more):
    return ldap3.Connection(server(), NAME, SECRET, auto_bind=True, raise_exceptions=True, **more)


def schema():
    """What ldap3 reads when it connects; with the schema it turns values into types, and refuses names that are not in it."""
    connection = bound(check_names=True)
    info, known = connection.server.info, connection.server.schema
    connection.search(BASE, "(uid=alice)", attributes=["uidNumber", "memberOf", "createTimestamp", "entryUUID"])
    entry = connection.entries[0]
    return {
        "contexts": info.naming_contexts, "vendor": info.vendor_name, "controls": [control[0] for control in info.supported_controls],
        "classes": sorted(known.object_classes.keys()), "single": known.attribute_types["uidNumber"].single_value,
        "number": type(entry.uidNumber.value).__name__, "time": type(entry.createTimestamp.value).__name__,
        "groups": len(entry.memberOf.values), "uuid": str(entry.entryUUID.value),
    }


def objects():
    """The reader of ldap3 asks for the attributes that the schema gives to a class."""
    connection = bound()
    definition = ldap3.ObjectDef(["inetOrgPerson", "posixAccount"], connection)
    reader = ldap3.Reader(connection, definition, BASE, "uid: alice")
    return [[str(one.cn), str(one.mail), str(one.loginShell)] for one in reader.search()]


def pages():
    found = bound().extend.standard.paged_search(BASE, "(uid=*)", ldap3.SUBTREE, attributes=["uid"], paged_size=500, generator=True)
    names = [entry["attributes"]["uid"][0] for entry in found]
    return {"entries": len(names), "names": len(set(names))}


def starttls():
    connection = ldap3.Connection(server(), NAME, SECRET, auto_bind=ldap3.AUTO_BIND_TLS_BEFORE_BIND, raise_exceptions=True)
    secure = ldap3.Connection(server("LDAPS_URL"), NAME, SECRET, auto_bind=True, raise_exceptions=True)
    return [[one.tls_started or one.server.ssl, one.extend.standard.who_am_i()] for one in (connection, secure)]


def refused(**how):
    connection = ldap3.Connection(server(), **how)
    try:
        connection.bind()
    except LDAPException as error:
        return type(error).__name__
    return connection.result["description"]


def others():
    """Ways to bind that are none here."""
    return {
        "ntlm": refused(user="EXAMPLE\\alice", password=SECRET, authentication=ldap3.NTLM),
        "digest": refused(authentication=ldap3.SASL, sasl_mechanism=ldap3.DIGEST_MD5, sasl_credentials=(None, "alice", SECRET, None)),
        "plain": refused(authentication=ldap3.SASL, sasl_mechanism=ldap3.PLAIN, sasl_credentials=(None, "alice", SECRET)),
        "external": refused(authentication=ldap3.SASL, sasl_mechanism=ldap3.EXTERNAL, sasl_credentials=""),
    }


def filters():
    connection = bound()
    name = escape_filter_chars("Zoë Mü*ller (Jr.)")
    found = {}
    for text in (f"(cn={name})", "(&(objectClass=person)(|(uid=alice)(uid=bob)))", "(!(memberOf=*))"):
        connection.search(f"ou=people,{BASE}", text, ldap3.LEVEL, attributes=ldap3.NO_ATTRIBUTES)
        found[text] = sorted(entry.entry_dn for entry in connection.entries)
    return list(found.values())


def names():
    """ldap3 asks for nothing that the schema does not have: attributes from the files, and what other servers know."""
    connection = bound(check_names=True)
    connection.search(BASE, "(&(objectClass=person)(!(objectClass=user))(department=Toys))", attributes=["department", "telephoneNumber", "distinguishedName"])
    return [entry.entry_attributes_as_dict for entry in connection.entries]


ACTIONS = {action.__name__: action for action in (schema, objects, pages, starttls, others, filters, names)}
print(json.dumps(ACTIONS[sys.argv[1]]()))
