package main

import (
	"regexp"
	"strings"
	"testing"
)

// uidl is what a session says on UIDL, id by number; it checks the form that RFC
// 1939 section 7 asks for, and that no two are alike.
func uidl(t *testing.T, args ...string) []string {
	t.Helper()
	c := dial(t, args...)
	c.ask("UIDL", "+OK")
	var ids []string
	seen := map[string]bool{}
	for _, l := range strings.Split(strings.TrimSuffix(c.body(), ".\r\n"), "\r\n") {
		if l == "" {
			break
		}
		_, id, _ := strings.Cut(l, " ")
		if !regexp.MustCompile(`\A[!-~]{1,70}\z`).MatchString(id) {
			t.Errorf("%q is no unique-id", id)
		}
		if seen[id] {
			t.Errorf("unique-id %q is there twice", id)
		}
		seen[id] = true
		ids = append(ids, id)
	}
	c.quit()
	return ids
}

// P10: a message keeps its unique-id in another session, with other flags, in
// cur after new, and when a synchronizer adds a field to its name.
func TestP10_UniqueIDsAreForLife(t *testing.T) {
	t.Parallel()
	const long = "1700000004.M4P1Q1Rabcdef.a-host-whose-name-takes-very-many-characters.example.org"
	files := map[string]string{
		"new/1700000001.M1P1.mx,S=12,W=14":     "Subject: 1\n\n",
		"cur/1700000002.M2P1.mx,S=12:2,":       "Subject: 2\n\n",
		"cur/1700000003.M3P1.mx:2,":            "Subject: 3\n\n",
		"cur/" + long + ",S=12,W=14:2,":        "Subject: 4\n\n",
		"cur/1700000005 with \x07 and \xff:2,": "Subject: 5\n\n",
		"cur/=1700000006.M6P1.mx:2,":           "Subject: 6\n\n",
	}
	renames := [][2]string{
		{"new/1700000001.M1P1.mx,S=12,W=14", "cur/1700000001.M1P1.mx,S=12,W=14,U=1:2,FS"},
		{"cur/1700000002.M2P1.mx,S=12:2,", "cur/1700000002.M2P1.mx,U=9,S=12:2,ST,X"},
		{"cur/1700000003.M3P1.mx:2,", "cur/1700000003.M3P1.mx,U=10,FMD5=0cc175b9c0f1b6a831c399e269772661:2,Sab"},
		{"cur/" + long + ",S=12,W=14:2,", "cur/" + long + ",S=12,W=14,U=1:2,S"},
		{"cur/1700000005 with \x07 and \xff:2,", "cur/1700000005 with \x07 and \xff:2,S"},
		{"cur/=1700000006.M6P1.mx:2,", "cur/=1700000006.M6P1.mx,U=4:2,S"},
	}
	for _, format := range []string{"name", "dovecot", "courier", "%v-%u", "x%g"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			box := newMaildir(t, files)
			put(t, box+"/dovecot-uidlist", "3 V1700000000 N9 G0123456789abcdef0123456789abcdef\n"+
				"1 :1700000001.M1P1.mx,S=12,W=14\n7 W14 :1700000003.M3P1.mx:2,\n8 Gabc :"+long+"\n")
			put(t, box+"/courierpop3dsizelist", "/3 3 1700000000\n"+
				"1700000001.M1P1.mx,S=12,W=14 14 1:1700000000:0\n"+long+":2,S 14 2:0:0\n")
			first := uidl(t, "--uidl="+format, box)
			if len(first) != len(files) {
				t.Fatalf("%d unique-ids: %q", len(first), first)
			}
			if again := uidl(t, "--uidl="+format, box); strings.Join(again, " ") != strings.Join(first, " ") {
				t.Errorf("in another session:\n%q, was\n%q", again, first)
			}
			for _, r := range renames {
				if format == "x%g" && strings.Contains(r[1], "U=") {
					continue // the whole name is what this format says
				}
				rename(t, box+"/"+r[0], box+"/"+r[1])
			}
			if after := uidl(t, "--uidl="+format, box); strings.Join(after, " ") != strings.Join(first, " ") {
				t.Errorf("after renames:\n%q, was\n%q", after, first)
			}
		})
	}
}

// What the server before said, word by word. Dovecot's default id is what
// dovecot 2.3.19 answered over these files; the others follow the formats as
// those projects describe them and were not compared with a running server.
func TestUniqueIDsOfOtherServers(t *testing.T) {
	t.Parallel()
	box := newMaildir(t, map[string]string{
		"cur/1700000001.M1P1.host,S=17:2,S": "Subject: 1\n\nbody\n",
		"cur/1700000002.M1P1.host,S=17:2,":  "Subject: 2\n\nbody\n",
		"cur/1700000003.M1P1.host,S=17:2,":  "Subject: 3\n\nbody\n",
	})
	put(t, box+"/dovecot-uidlist", "3 V1795405319 N4 Gd7d4da2d07b6036bfe5d000083ecc375\n"+
		"1 W20 :1700000001.M1P1.host,S=17\n2 P W20 :1700000002.M1P1.host,S=17\n3 PUID9-1600000000 W20 :1700000003.M1P1.host,S=17\n")
	put(t, box+"/courierpop3dsizelist", "/3 18 1700000000\n"+
		"1700000001.M1P1.host,S=17:2,S 20 16:1700000000:0\n1700000002.M1P1.host,S=17:2, 20 17:0:1\n")
	for format, want := range map[string]string{
		"name":    "1700000001.M1P1.host,S=17 1700000002.M1P1.host,S=17 1700000003.M1P1.host,S=17",
		"dovecot": "000000016b03b607 1700000002.M1P1.host,S=17 UID9-1600000000",
		"%v-%u":   "1795405319-1 1700000002.M1P1.host,S=17 UID9-1600000000",
		"%f":      "1700000001.M1P1.host,S=17 1700000002.M1P1.host,S=17 UID9-1600000000",
		"courier": "UID16-1700000000 UID17 1700000003.M1P1.host,S=17",
	} {
		if got := strings.Join(uidl(t, "--uidl="+format, box), " "); got != want {
			t.Errorf("%s:\n%s, want\n%s", format, got, want)
		}
	}
}

// P10: a list that is none must not make the client download everything: UIDL fails,
// all else works.
func TestP10_BrokenListOfUIDs(t *testing.T) {
	t.Parallel()
	box := three(t)
	put(t, box+"/dovecot-uidlist", "what is this\n")
	c := dial(t, "--uidl=dovecot", box)
	c.ask("UIDL", "-ERR [SYS/TEMP] cannot read the unique-ids now, try again later")
	c.ask("UIDL 1", "-ERR [SYS/TEMP] cannot read the unique-ids now, try again later")
	c.ask("RETR 1", "+OK")
	c.body()
	c.quit()
	if !strings.Contains(c.log.String(), box+"/dovecot-uidlist: broken list of UIDs: its version is neither 3 nor 1") {
		t.Errorf("log: %s", c.log.String())
	}
}
